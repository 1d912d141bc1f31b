"""DIF: groups of unequal ability on equal items are no DIF, an item that is harder for one group is."""

import numpy as np
import pytest

from thetaline import irt
from thetaline.errors import InputError, ResponsesError
from thetaline.irt.dif.logistic import ScoreCells, logistic_dif
from thetaline.irt.dif.mantel_haenszel import Strata, ets_classes, mantel_haenszel
from thetaline.irt.dif.matching import by_sum_score

METHODS = ("mantel-haenszel", "logistic", "wald")
N_ITEMS = 15


def two_groups(
    rng: np.random.Generator, *, n: int = 500, harder: float = 0.0, items: tuple[int, ...] = (2,), impact: float = 0.0
) -> tuple[irt.Responses, np.ndarray]:
    """`items` are harder by that much for the focal group, whose mean ability is lower by `impact`."""
    a, b = rng.lognormal(0, 0.2, N_ITEMS), rng.normal(0, 0.8, N_ITEMS)
    b[list(items)] = np.clip(b[list(items)], -0.3, 0.3)
    focal_b = b + harder * np.isin(np.arange(N_ITEMS), items)
    banks = [irt.Items(ids=range(N_ITEMS), model="2PL", a=a, b=side) for side in (b, focal_b)]
    sides = [irt.simulate(bank, rng.normal(-m, 1, n), rng) for bank, m in zip(banks, (0.0, impact), strict=True)]
    x = np.concatenate([side.answer.reshape(n, N_ITEMS) for side in sides])
    return irt.Responses.from_matrix(x), np.repeat(["focal", "reference"], n)[::-1]


@pytest.mark.parametrize("method", METHODS)
def test_groups_of_unequal_ability_on_equal_items_are_rejected_at_the_nominal_rate(method: str) -> None:
    p = []
    for seed in range(25 if method == "wald" else 40):
        answers = two_groups(np.random.default_rng([3, seed]), impact=0.4)
        p.append(irt.dif(*answers, method=method, reference="reference").p)
    # 375 or 600 tests that are not independent within a data set.
    assert 0.025 < np.mean(np.array(p) < 0.05) < 0.085


@pytest.mark.parametrize("method", METHODS)
def test_an_item_that_is_harder_for_the_focal_group_is_found_and_leaves_the_anchors(method: str) -> None:
    rng = np.random.default_rng(32)
    found = irt.dif(*two_groups(rng, n=1000, harder=1.0, items=(2, 7)), method=method, reference="reference")
    assert {2, 7} <= set(found.flagged().tolist())
    assert len(found.flagged()) <= 3
    assert not {2, 7} & set(found.anchors.tolist())
    assert (found.reference, found.focal, found.n_reference, found.n_focal) == ("reference", "focal", 1000, 1000)
    if method != "logistic":
        assert np.all(found.effect[[2, 7]] < 0)
    assert np.all(found.classes[[2, 7]] != irt.DifClass.A)


def test_exchanging_the_groups_changes_the_sign_of_the_effect_and_no_test() -> None:
    answers = two_groups(np.random.default_rng(32), harder=0.8)
    one, other = (irt.dif(*answers, reference=label) for label in ("reference", "focal"))
    np.testing.assert_allclose(one.effect, -other.effect)
    np.testing.assert_allclose(one.p, other.p)
    one, other = (irt.dif(*answers, method="wald", reference=label) for label in ("reference", "focal"))
    assert one.effect[2] < -0.05 < 0.05 < other.effect[2]
    assert np.corrcoef(one.statistic, other.statistic)[0, 1] > 0.98


def test_a_slope_that_differs_is_non_uniform_dif_for_logistic_regression_and_wald() -> None:
    rng = np.random.default_rng(33)
    a, b = np.full(N_ITEMS, 1.2), np.linspace(-1.5, 1.5, N_ITEMS)
    flat = np.where(np.arange(N_ITEMS) == 7, 0.3, a)
    banks = [irt.Items(ids=range(N_ITEMS), model="2PL", a=side, b=b) for side in (a, flat)]
    x = np.concatenate([irt.simulate(bank, rng.normal(size=1000), rng).answer.reshape(-1, N_ITEMS) for bank in banks])
    responses, groups = irt.Responses.from_matrix(x), np.repeat(["a", "b"], 1000)
    logistic = irt.dif(responses, groups, method="logistic")
    assert logistic.details["p_non_uniform"][7] < 1e-6
    assert logistic.details["p_uniform"][7] > 1e-3
    assert irt.dif(responses, groups, method="wald").p[7] < 1e-6


def test_wald_takes_thresholds_and_missing_answers_and_the_others_say_that_they_do_not() -> None:
    rng = np.random.default_rng(34)
    a, b = rng.lognormal(0.2, 0.2, 10), rng.normal(0, 0.5, (10, 1)) + np.array([-0.8, 0.8])
    moved = b + 0.8 * (np.arange(10) == 4)[:, None]
    banks = [irt.Items(ids=range(10), model="GRM", a=a, b=side) for side in (b, moved)]
    x = np.concatenate([irt.simulate(bank, rng.normal(size=800), rng).answer.reshape(-1, 10) for bank in banks]) * 1.0
    x[rng.random(x.shape) < 0.4] = np.nan
    responses, groups = irt.Responses.from_matrix(x), np.repeat(["a", "b"], 800)
    found = irt.dif(responses, groups, method="wald", model="GRM")
    assert found.flagged().tolist() == [4]
    assert found.df.tolist() == [3] * 10
    with pytest.raises(ResponsesError, match="more than two categories; method='wald'"):
        irt.dif(responses, groups)
    two = np.where(np.isnan(x), np.nan, x > 0)
    with pytest.raises(ResponsesError, match="does not match people who met different items"):
        irt.dif(irt.Responses.from_matrix(two), groups, method="logistic")


def test_an_item_that_one_group_always_answers_alike_has_no_statistic_and_spoils_no_other() -> None:
    responses, groups = two_groups(np.random.default_rng(37))
    x = responses.answer.reshape(-1, N_ITEMS).copy()
    x[groups == "focal", 5] = 1
    alike = irt.dif(irt.Responses.from_matrix(x), groups, method="wald", reference="reference")
    assert np.flatnonzero(np.isnan(alike.p)).tolist() == [5]
    assert alike.classes[5] == ""
    assert 5 not in alike.anchors.tolist()
    with pytest.raises(ResponsesError, match="only 2 of 3 items"):
        irt.dif(irt.Responses.from_matrix(x[:, 3:6]), groups, method="wald")


def test_arguments_that_make_no_comparison_are_refused() -> None:
    responses, groups = two_groups(np.random.default_rng(35), n=50)
    with pytest.raises(InputError, match="unknown DIF method 'mh'"):
        irt.dif(responses, groups, method="mh")
    with pytest.raises(ResponsesError, match="there are 1"):
        irt.dif(responses, np.repeat("a", 100))
    with pytest.raises(ResponsesError, match="'x' is no group label"):
        irt.dif(responses, groups, reference="x")
    with pytest.raises(ResponsesError, match="100 persons"):
        irt.dif(responses, groups[:-1])


def test_sum_scores_of_the_anchors_take_in_the_studied_item() -> None:
    answers = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 1]], dtype=np.uint8)
    table = by_sum_score(answers, np.ones(3), np.array([False, True, True]), np.array([True, True, False]))
    # Items 0 and 1 match on their own sum, 1, 0 and 2; item 2 is added to it when it is studied itself.
    assert table.people[0].sum(axis=(1, 2)).tolist() == [1, 1, 1, 0]
    assert table.people[2].sum(axis=(1, 2)).tolist() == [0, 1, 1, 1]
    assert table.people[2, 3, 1].tolist() == [0, 1]


def test_mantel_haenszel_has_no_answer_where_one_group_is_absent() -> None:
    found = mantel_haenszel(Strata(np.array([5.0, 7.0]), np.array([2.0, 3.0]), np.zeros(2), np.zeros(2)))
    assert np.isnan(found.statistic)
    assert ets_classes(mantel_haenszel(Strata(*np.zeros((4, 1, 2)))), alpha=0.05).tolist() == [""]


def test_ets_classes_ask_for_size_and_for_evidence() -> None:
    def strata(odds: float, n: float) -> Strata:
        focal = odds / (1 + odds)
        return Strata(*(np.full((1, 5), n * share) for share in (0.5, 0.5, focal, 1 - focal)))

    def label(odds: float, n: float) -> object:
        return ets_classes(mantel_haenszel(strata(odds, n)), alpha=0.05)[0]

    assert [label(odds, 400) for odds in (0.7, 0.6, 0.4)] == ["A", "B", "C"]
    assert label(0.4, 10) != "C"
    assert label(0.4, 2) == "A"
    # |delta| = 1.65 and significantly above 0, but not significantly above 1.
    assert label(0.495, 40) == "B"


def test_logistic_regression_finds_the_maximum_of_the_likelihood() -> None:
    from scipy.optimize import minimize

    rng = np.random.default_rng(36)
    ability, focal = np.tile(np.arange(9.0), 2), np.repeat([0.0, 1.0], 9)
    n = rng.integers(5, 40, (2, 18)).astype(float)
    right = rng.binomial(n.astype(int), 1 / (1 + np.exp(2 - 0.5 * ability - 0.6 * focal))).astype(float)
    found = logistic_dif(ScoreCells(ability[None], focal[None], n, right))
    design = np.stack([np.ones(18), ability, focal, ability * focal], axis=1)

    def best(width: int, item: int) -> float:
        def deviance(beta: np.ndarray) -> float:
            z = design[:, :width] @ beta
            return -2 * float(right[item] @ z - n[item] @ np.logaddexp(0, z))

        return float(minimize(deviance, np.zeros(width), method="BFGS", options={"gtol": 1e-7}).fun)

    for item in range(2):
        assert found.uniform[item] == pytest.approx(best(2, item) - best(3, item), abs=1e-6)
        assert found.non_uniform[item] == pytest.approx(best(3, item) - best(4, item), abs=1e-6)


def test_groups_that_answers_separate_completely_give_a_finite_statistic() -> None:
    ability, focal = np.tile(np.arange(4.0), 2), np.repeat([0.0, 1.0], 4)
    n = np.full((1, 8), 10.0)
    found = logistic_dif(ScoreCells(ability[None], focal[None], n, n * focal))
    assert found.uniform[0] == pytest.approx(2 * 80 * np.log(2), rel=1e-3)


@pytest.mark.parametrize("method", ["mantel-haenszel", "logistic"])
def test_an_item_that_all_got_right_has_no_statistic_and_leaves_the_others_theirs(method):
    rng = np.random.default_rng(8)
    x = (rng.normal(size=(400, 1)) + rng.logistic(size=(400, 6)) > 0).astype(float)
    x[:, 0] = 1.0
    found = irt.dif(irt.Responses.from_matrix(x), np.repeat(["a", "b"], 200), method=method, purify=False)
    assert np.isnan([found.effect[0], found.p[0]]).all()
    assert np.isfinite(found.effect[1:]).all()
    assert np.isfinite(found.p[1:]).all()


def test_a_missing_group_label_is_named_by_its_row():
    responses = irt.Responses.from_matrix(np.eye(4))
    with pytest.raises(ResponsesError, match="groups has missing values, first at row 2"):
        irt.dif(responses, ["a", "b", None, "a"])


def small_focal_group(seed: int, n: int, *, n_items: int = 10, model: str = "2PL") -> irt.Dif:
    """No DIF at all: 700 persons against n, whose mean ability is 0.3 lower."""
    rng = np.random.default_rng(seed)
    groups, b = np.repeat([0, 1], [700, n]), np.linspace(-1.5, 1.5, n_items)
    theta = rng.normal(-0.3 * groups, 1)
    x = rng.random((700 + n, n_items)) < 1 / (1 + np.exp(-(theta[:, None] - b)))
    return irt.dif(irt.Responses.from_matrix(x), groups, method="wald", model=model)


@pytest.mark.parametrize("n", [20, 40])
def test_wald_refuses_a_group_that_is_too_small_for_slopes_of_its_own(n: int) -> None:
    for seed in range(1000, 1010):
        with pytest.raises(ResponsesError, match=rf"{n} answers in group 1; a slope of its own needs 80"):
            small_focal_group(seed, n)


@pytest.mark.parametrize(("n", "model"), [(20, "Rasch"), (40, "Rasch"), (100, "2PL"), (300, "2PL")])
def test_wald_rejects_clean_items_at_the_nominal_rate_in_groups_of_every_size(n: int, model: str) -> None:
    p, refused = [], 0
    for seed in range(1000, 1036):
        try:
            p.append(small_focal_group(seed, n, model=model).p)
        except ResponsesError:  # the calibration of the group did not converge
            refused += 1
    assert refused <= 4
    assert 0.03 <= np.nanmean(np.array(p) < 0.05) <= 0.08


def test_the_calibration_of_a_group_that_does_not_converge_is_refused_with_its_status_and_notes() -> None:
    rng = np.random.default_rng(3)
    theta, groups = rng.normal(size=490), np.repeat(["many", "few"], [400, 90])
    x = rng.random((490, 8)) < 1 / (1 + np.exp(-(theta[:, None] - np.linspace(-1, 1, 8))))
    x[groups == "few", 1] = x[groups == "few", 0]  # answers that go together without limit
    with pytest.raises(ResponsesError, match=r"90 persons of group 'few' is (stalled|out of cycles).*slope grew to"):
        irt.dif(irt.Responses.from_matrix(x), groups, method="wald", reference="many")


def test_what_the_calibration_of_a_group_found_is_told_and_the_item_is_no_anchor() -> None:
    responses, groups = two_groups(np.random.default_rng(38), n=600)
    x = responses.answer.reshape(-1, N_ITEMS).copy()
    x[groups == "focal", 4] = 1 - x[groups == "focal", 4]
    found = irt.dif(irt.Responses.from_matrix(x), groups, method="wald", reference="reference")
    assert any("group 'focal': runs backwards (1: 4)" in note for note in found.notes)
    assert 4 not in found.anchors.tolist()
    assert 4 in found.flagged().tolist()


def test_nobody_right_where_fifteen_are_expected_is_a_large_effect_and_wald_says_why_its_row_is_empty() -> None:
    rng = np.random.default_rng(5)
    groups = np.repeat(["a", "b"], [400, 100])
    b = np.append(np.linspace(-1.5, 1.5, 11), 2.0)
    x = (rng.random((500, 12)) < 1 / (1 + np.exp(-(rng.normal(size=(500, 1)) - b)))).astype(int)
    x[groups == "b", 11] = 0
    responses = irt.Responses.from_matrix(x)
    matched, wald = irt.dif(responses, groups), irt.dif(responses, groups, method="wald")
    assert (matched.classes[11], matched.effect[11]) == ("C", -np.inf)
    assert matched.p[11] < 1e-3
    assert np.isnan(wald.p[11])
    assert wald.details["reason"][11].startswith("all 100 answers in group 'b' are 0; method='mantel-haenszel'")
    assert (wald.details["reason"][:11] == "").all()


def test_nobody_right_in_a_handful_is_no_large_effect() -> None:
    def strata(n_focal: float) -> Strata:
        return Strata(*(np.full((1, 5), value) for value in (20.0, 80.0, 0.0, n_focal)))

    few, some, many = (ets_classes(mantel_haenszel(strata(n)), alpha=0.2)[0] for n in (1.0, 3.0, 20.0))
    assert (few, some, many) == ("A", "B", "C")
