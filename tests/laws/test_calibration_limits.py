"""What cannot be estimated is refused by name, what only a prior holds is named, what makes no sense is an error."""

import numpy as np
import pytest

from simulated import answers, bank, complete
from thetaline import irt
from thetaline.errors import InputError, ItemsError, ModelWarning, ResponsesError

PRIORS = irt.Priors(a=irt.LogNormal(0.0, 0.5), b=irt.Normal(0.0, 2.0))


def matrix(n_persons=600, n_items=10, seed=41):
    rng = np.random.default_rng(seed)
    return answers(rng, bank(rng, n_items), rng.normal(size=n_persons)).astype(float)


def spoiled(kind):
    x = matrix()
    if kind == "answered by nobody":
        x[:, 3] = np.nan
    elif kind == "everybody gave the same answer":
        x[:, 3] = 0
    else:
        x[8:, 3] = np.nan
    return irt.Responses.from_matrix(x)


DEGENERATE = {
    "answered by nobody": (irt.Finding.NO_ANSWERS, r"nobody answered items \[3\]"),
    "everybody gave the same answer": (irt.Finding.ONE_CATEGORY, r"the same answer to items \[3\]"),
    "fewer answers than min_answers": (irt.Finding.FEW_ANSWERS, r"items \[3\] have fewer than 10 answers"),
}


@pytest.mark.parametrize("kind", DEGENERATE)
def test_degenerate_items_are_refused_by_id_without_priors(kind):
    with pytest.raises(ResponsesError, match=DEGENERATE[kind][1]):
        irt.calibrate(spoiled(kind))


@pytest.mark.parametrize("kind", DEGENERATE)
def test_degenerate_items_are_shrunken_and_named_with_priors(kind):
    fit = irt.calibrate(spoiled(kind), priors=PRIORS)
    assert fit.converged
    assert fit.ids_with(DEGENERATE[kind][0]) == [3]
    assert abs(fit.items.b[3]) < 6
    assert np.isfinite(fit.standard_errors().b).all()


def test_an_item_that_nobody_answered_is_estimated_at_the_mode_of_its_priors():
    fit = irt.calibrate(spoiled("answered by nobody"), priors=PRIORS)
    assert fit.items.a[3] == pytest.approx(np.exp(-0.25), abs=1e-3)
    assert fit.items.b[3] == pytest.approx(0.0, abs=1e-3)


def test_an_item_may_have_just_the_fewest_answers():
    few = spoiled("fewer answers than min_answers")
    n = int(np.bincount(few.item)[3])
    assert irt.calibrate(few, min_answers=n).ids_with(irt.Finding.FEW_ANSWERS) == []
    with pytest.raises(ResponsesError, match=rf"items \[3\] have fewer than {n + 1} answers"):
        irt.calibrate(few, min_answers=n + 1)


@pytest.mark.parametrize("kind", DEGENERATE)
def test_an_anchor_is_known_whatever_its_answers_and_no_finding_names_it(kind):
    anchors = irt.Items(ids=[3], model="2PL", a=[1.2], b=[0.4])
    fit = irt.calibrate(spoiled(kind), anchors=anchors)
    assert (fit.items.a[3], fit.items.b[3]) == (1.2, 0.4)
    assert DEGENERATE[kind][0] not in [note.finding for note in fit.notes]


def test_an_anchor_has_its_own_categories_and_refuses_answers_beyond_them():
    x = matrix()
    anchors = irt.Items(ids=[3], model="GRM", a=[1.2], b=[[-0.5, 0.5]])
    fit = irt.calibrate(irt.Responses.from_matrix(x), anchors=anchors)  # nobody gave its third category
    assert fit.items.b[3].tolist() == [-0.5, 0.5]
    x[:5, 3] = 3
    with pytest.raises(ItemsError, match=r"anchors \[3\] have answers beyond their categories"):
        irt.calibrate(irt.Responses.from_matrix(x), anchors=anchors)


def test_an_unused_category_is_refused():
    x = np.tile([[0, 0], [2, 2], [0, 2], [2, 0]], (20, 1))
    with pytest.raises(ResponsesError, match=r"items \[0, 1\] have a category that nobody gave"):
        irt.calibrate(irt.Responses.from_matrix(x), model="GRM")


def test_an_item_that_runs_backwards_gets_its_negative_slope_and_is_named():
    x = matrix()
    x[:, 4] = 1 - x[:, 4]
    fit = irt.calibrate(irt.Responses.from_matrix(x))
    assert fit.items.a[4] < -0.3
    assert fit.ids_with(irt.Finding.REVERSED) == [4]
    assert "runs backwards (1: 4)" in str(fit.notes[0])


def test_a_prior_that_keeps_slopes_positive_does_not_hide_an_item_that_runs_backwards():
    x = matrix()
    x[:, 4] = 1 - x[:, 4]
    fit = irt.calibrate(irt.Responses.from_matrix(x), priors=PRIORS)
    assert fit.items.a[4] > 0
    assert fit.ids_with(irt.Finding.REVERSED) == [4]


def test_a_slope_without_a_maximum_stalls_and_is_named():
    rng = np.random.default_rng(42)
    x = matrix(n_persons=400, n_items=8)
    x[:, 7] = x[:, :7].sum(axis=1) > 3.5  # decided by the others: the steeper the likelier
    x[:, 6] = x[:, 7]
    fit = irt.calibrate(irt.Responses.from_matrix(x[rng.permutation(400)]))
    assert fit.status is irt.Status.STALLED
    assert set(fit.ids_with(irt.Finding.RUNAWAY)) <= {6, 7}
    assert fit.ids_with(irt.Finding.RUNAWAY)
    assert "add priors or drop items" in fit.status.advice
    assert fit.cycles < 80


def test_persons_with_one_answer_or_none_are_named():
    x = matrix()
    x[5, 1:] = np.nan
    x[6] = np.nan
    fit = irt.calibrate(irt.Responses.from_matrix(x))
    assert fit.ids_with(irt.Finding.PERSON_WITH_ONE_ANSWER) == [5]
    assert fit.ids_with(irt.Finding.PERSON_WITHOUT_ANSWERS) == [6]
    assert fit.n_persons == 599


@pytest.mark.parametrize(
    "x", [np.ones((50, 5)), np.zeros((50, 5)), np.ones((1, 5))], ids=["right", "wrong", "one person"]
)
def test_answers_without_any_difference_are_refused_or_shrunken(x):
    responses = irt.Responses.from_matrix(x)
    with pytest.raises(ResponsesError, match="everybody gave the same answer"):
        irt.calibrate(responses)
    assert np.isfinite(irt.calibrate(responses, priors=PRIORS).items.b).all()


def test_one_item_is_not_enough():
    with pytest.raises(ResponsesError, match=r"one item \(0\) cannot be calibrated"):
        irt.calibrate(irt.Responses.from_matrix([[0], [1]]), priors=PRIORS)


def test_models_with_asymptotes_warn_when_c_has_no_prior():
    with pytest.warns(ModelWarning, match="3PL without a prior on c"):
        irt.calibrate(irt.Responses.from_matrix(matrix()), model="3PL", max_cycles=3)


def test_asymptotes_at_their_bound_are_named():
    with pytest.warns(ModelWarning):
        fit = irt.calibrate(irt.Responses.from_matrix(matrix()), model="3PL")
    at_zero = fit.items.ids[fit.items.c < 1e-5].tolist()
    assert at_zero
    assert fit.ids_with(irt.Finding.ASYMPTOTE) == at_zero
    assert np.isnan(fit.standard_errors().c[at_zero]).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"model": "5PL"}, ItemsError, "unknown model '5PL'; choose one of Rasch"),
        ({"model": {0: "2PL"}}, ItemsError, "no model is given for 9 items"),
        ({"tol": 0.0}, InputError, "tol must be above 0, not 0.0"),
        ({"max_cycles": 0}, InputError, "max_cycles must be at least 1, not 0"),
        ({"population": "beta"}, InputError, "unknown population 'beta'"),
        ({"groups": ["a", "b"]}, InputError, r"groups has shape \(2,\)"),
        ({"anchors": irt.Items(ids=["q"], a=1.0, b=[0.0])}, ItemsError, "none of the 1 anchors is among the items"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_with_their_value(options, error, message):
    with pytest.raises(error, match=message):
        irt.calibrate(irt.Responses.from_matrix(matrix()), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": None}, "model must be a name"),
        ({"anchors": {"a": 1}}, "anchors must be Items, not dict"),
        ({"priors": {"a": 1}}, "priors must be Priors, not dict"),
        ({"priors": irt.Normal(0, 1)}, "priors must be Priors, not Normal"),
        ({"grid": 61}, r"grid must be Grid, not int 61; write Grid\(61, -6, 6\)"),
        ({"tol": "a"}, "tol must be a number, not str 'a'"),
        ({"max_cycles": 1.5}, "max_cycles must be a whole number, not float 1.5"),
        ({"min_answers": "ten"}, "min_answers must be a whole number"),
        ({"threads": 1.5}, "threads must be a whole number"),
        ({"progress": 3}, "progress must be a function"),
        ({"groups": [None] * 7 + ["a"] * 593}, r"no label for 7 persons, rows \[0, 1, 2, 3, 4\], …; give them a group"),
        ({"groups": [*[1.0] * 599, np.nan]}, r"no label for 1 persons, rows \[599\];"),
    ],
)
def test_arguments_of_another_type_are_refused_by_name_and_value(options, message):
    with pytest.raises(InputError, match=message):
        irt.calibrate(irt.Responses.from_matrix(matrix()), **options)


def test_answers_that_are_no_responses_are_refused():
    with pytest.raises(InputError, match=r"responses must be Responses, not ndarray .* from_matrix makes them"):
        irt.calibrate(matrix())


@pytest.mark.parametrize(
    "build",
    [
        lambda: irt.Grid(61.5, -6, 6),
        lambda: irt.Grid("61", -6, 6),
        lambda: irt.Normal("a", 1),
        lambda: irt.Beta("a", 1),
        lambda: irt.Priors(a=1.0),
    ],
)
def test_grids_and_densities_of_other_types_are_refused(build):
    with pytest.raises(InputError, match=r"needs|must be a density"):
        build()


def test_anchors_of_slope_zero_are_refused_by_name():
    flat = irt.Items(ids=[0, 1, 2], a=[1.0, 0.0, 0.0], b=[0.0, 0.0, 1.0])
    with pytest.raises(ItemsError, match=r"anchors \[1, 2\] have a = 0"):
        irt.calibrate(irt.Responses.from_matrix(matrix()), anchors=flat)


def test_a_dichotomous_model_refuses_other_scores():
    x = matrix()
    x[0, 2] = 2
    with pytest.raises(ResponsesError, match=r"items \[2\] have answers other than 0 and 1"):
        irt.calibrate(irt.Responses.from_matrix(x))


def test_a_group_without_answers_is_refused():
    x = matrix(n_persons=300)
    x[:2] = np.nan
    with pytest.raises(ResponsesError, match=r"groups \['z'\] have no answers"):
        irt.calibrate(irt.Responses.from_matrix(x), groups=["z", "z"] + ["a"] * 298)


def test_a_grid_needs_nodes():
    with pytest.raises(InputError, match=r"not Grid\(2, 0, 1\)"):
        irt.Grid(2, 0, 1)


def test_an_unknown_method_or_scale_of_errors_is_refused():
    fit = irt.calibrate(complete(np.random.default_rng(43), bank(np.random.default_rng(43), 5), 300))
    with pytest.raises(InputError, match="unknown method 'hessian'; choose one of oakes"):
        fit.standard_errors(method="hessian")
    with pytest.raises(InputError, match="unknown scale 'raw'"):
        fit.covariance(scale="raw")


def test_a_bank_that_is_all_fixed_gives_the_population() -> None:
    rng = np.random.default_rng(4)
    bank = irt.Items(ids=range(30), model="2PL", a=rng.lognormal(0, 0.3, 30), b=rng.normal(size=30))
    responses = irt.simulate(bank, rng.normal(0.5, 1.3, 2000), rng)
    fit, se = irt.calibrate(responses, anchors=bank), irt.calibrate(responses, anchors=bank).standard_errors()
    assert fit.converged
    assert fit.n_parameters == 2
    assert abs(fit.population.mean[0] - 0.5) < 3 * se.mean[0] < 0.15
    assert abs(fit.population.sd[0] - 1.3) < 3 * se.sd[0] < 0.15
    np.testing.assert_allclose(fit.items.b, bank.b, rtol=1e-12)


def test_nodes_are_fine_enough_for_steep_anchors() -> None:
    rng = np.random.default_rng(5)
    bank = irt.Items(ids=range(12), model="2PL", a=np.r_[np.full(11, 9.0), 1.0], b=np.r_[np.linspace(-2, 2, 11), 0.0])
    responses = irt.simulate(bank, rng.normal(size=1500), rng)
    fit = irt.calibrate(responses, anchors=bank.take(range(11)))
    exact = irt.calibrate(responses, anchors=bank.take(range(11)), grid=irt.Grid(2001, -8.0, 8.0))
    assert fit.items.a[11] == pytest.approx(exact.items.a[11], abs=2e-4)
    assert fit.log_likelihood == pytest.approx(exact.log_likelihood, abs=1e-3)


@pytest.mark.parametrize("model", ["Rasch", "1PL", "PCM", "2PL", "GRM", "GPCM"])
@pytest.mark.parametrize(("n_persons", "n_items"), [(100, 20), (300, 12)])
def test_an_item_that_runs_backwards_is_named_in_every_family_and_no_other(model, n_persons, n_items):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        b, theta = np.linspace(-1.5, 1.5, n_items), rng.normal(0, 1.3, n_persons)
        x = (rng.random((n_persons, n_items)) < 1 / (1 + np.exp(-(theta[:, None] - b)))).astype(int)
        x[:, 5] = 1 - x[:, 5]
        fit = irt.calibrate(irt.Responses.from_matrix(x), model, priors=irt.Priors(a=irt.LogNormal(0, 0.5)))
        assert fit.ids_with(irt.Finding.REVERSED) == [5]


def test_a_calibration_that_the_priors_answer_says_so():
    named = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        noise = irt.calibrate(irt.Responses.from_matrix(rng.integers(0, 2, (24, 23))), priors=PRIORS)
        named.append(noise.ids_with(irt.Finding.NO_COMMON_ABILITY) == ["all"])
        theta = rng.normal(size=24)[:, None]
        sound = (rng.random((24, 23)) < 1 / (1 + np.exp(-1.2 * theta))).astype(int)
        fit = irt.calibrate(irt.Responses.from_matrix(sound), priors=PRIORS)
        assert not fit.ids_with(irt.Finding.NO_COMMON_ABILITY)
    assert sum(named) >= 9


@pytest.mark.parametrize("model", ["2PL", "GRM"])
def test_an_item_whose_answers_do_not_depend_on_ability_is_named(model):
    rng = np.random.default_rng(3)
    theta = rng.normal(size=2000)
    x = (rng.random((2000, 12)) < 1 / (1 + np.exp(-(theta[:, None] - np.linspace(-2, 2, 12))))).astype(int)
    x[:, 7] = rng.random(2000) < 0.15
    fit = irt.calibrate(irt.Responses.from_matrix(x), model)
    assert fit.ids_with(irt.Finding.FLAT) == [7]
