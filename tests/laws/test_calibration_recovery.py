"""Calibration finds the parameters that the answers were drawn from, for every family and design."""

import numpy as np
import pytest

from simulated import answers, bank, complete, rmse, some_of
from thetaline import irt

N = 4_000


def polytomous(rng, model, n_items=12):
    b = np.sort(rng.normal(size=(n_items, 3)), axis=1) + np.array([-0.6, 0.0, 0.6])
    a = np.ones(n_items) if model == "PCM" else rng.lognormal(0.2, 0.2, n_items)
    return irt.Items(ids=range(n_items), model=model, a=a, b=b)


@pytest.mark.parametrize("model", ["GRM", "PCM", "GPCM"])
def test_polytomous_families_recover_slopes_and_thresholds(model):
    rng = np.random.default_rng(21)
    items = polytomous(rng, model)
    fit = irt.calibrate(complete(rng, items, N), model=model)
    assert fit.converged
    assert rmse(fit.items.a, items.a) < 0.08
    assert rmse(fit.items.b, items.b) < 0.1


@pytest.mark.parametrize("model", ["Rasch", "1PL", "2PL"])
def test_dichotomous_families_recover_slopes_and_difficulties(model):
    rng = np.random.default_rng(22)
    items = bank(rng, 30, spread=0.3 if model == "2PL" else 0.0)
    fit = irt.calibrate(complete(rng, items, N, sd=1.4 if model == "Rasch" else 1.0), model=model)
    assert rmse(fit.items.a, items.a) < 0.08
    assert rmse(fit.items.b, items.b) < 0.08
    assert fit.population.sd[0] == pytest.approx(1.4 if model == "Rasch" else 1.0, abs=0.05)


@pytest.mark.parametrize("model", ["3PL", "4PL"])
def test_families_with_asymptotes_recover_them_under_priors(model):
    rng = np.random.default_rng(23)
    d = np.full(30, 0.95) if model == "4PL" else None
    items = irt.Items(ids=range(30), model=model, a=np.full(30, 1.5), b=rng.normal(size=30), c=np.full(30, 0.2), d=d)
    priors = irt.Priors(a=irt.LogNormal(0.3, 0.4), c=irt.Beta(5, 17), d=irt.Beta(17, 2) if model == "4PL" else None)
    fit = irt.calibrate(complete(rng, items, N), model=model, priors=priors)
    assert fit.converged
    assert rmse(fit.items.b, items.b) < 0.2
    assert rmse(fit.items.c, items.c) < 0.06
    if model == "4PL":
        assert rmse(fit.items.d, items.d) < 0.04


def test_families_may_be_mixed_item_by_item():
    rng = np.random.default_rng(24)
    b = np.full((9, 2), np.nan)
    b[:, 0] = rng.normal(size=9)
    b[6:, 1] = b[6:, 0] + 1.0
    models = ["2PL"] * 6 + ["GRM"] * 2 + ["GPCM"]
    items = irt.Items(ids=[f"q{k}" for k in range(9)], model=models, a=rng.lognormal(0.2, 0.2, 9), b=b)
    fit = irt.calibrate(complete(rng, items, N), model=dict(zip(items.ids.tolist(), models, strict=True)))
    assert fit.items.model.tolist() == models
    assert rmse(fit.items.a, items.a) < 0.15
    assert np.nanmax(np.abs(fit.items.b - items.b)) < 0.35


def test_rasch_items_give_the_scale_to_the_others_they_are_mixed_with():
    rng = np.random.default_rng(25)
    items = irt.Items(ids=range(20), a=np.where(np.arange(20) < 10, 1.0, 1.4), b=rng.normal(size=20))
    models = {k: "Rasch" if k < 10 else "2PL" for k in range(20)}
    fit = irt.calibrate(complete(rng, items, N, sd=1.7), model=models)
    assert (fit.items.a[:10] == 1.0).all()
    assert rmse(fit.items.a[10:], 1.4) < 0.12
    assert fit.population.sd[0] == pytest.approx(1.7, abs=0.08)


def test_difficulties_are_unbiased_when_weak_learners_are_routed_to_easy_items():
    rng = np.random.default_rng(26)
    items = irt.Items(ids=range(40), a=np.full(40, 1.2), b=np.linspace(-2, 2, 40))
    theta = rng.normal(size=6_000)
    x = answers(rng, items, theta).astype(float)
    easy = x[:, 15:25].mean(axis=1) < 0.5  # ten routing items for all, then one of two booklets
    x[np.ix_(easy, np.arange(25, 40))] = np.nan
    x[np.ix_(~easy, np.arange(15))] = np.nan
    fit = irt.calibrate(irt.Responses.from_matrix(x))
    assert abs(np.mean(fit.items.b[:15] - items.b[:15])) < 0.06
    assert abs(np.mean(fit.items.b[25:] - items.b[25:])) < 0.06


def test_adaptive_designs_are_unbiased():
    rng = np.random.default_rng(27)
    items = irt.Items(ids=range(60), a=np.full(60, 1.2), b=np.linspace(-2.5, 2.5, 60))
    theta = rng.normal(size=5_000)
    x = answers(rng, items, theta)
    seen = np.full(x.shape, np.nan)
    estimate = np.zeros(5_000)
    for step in range(20):  # next item: the nearest in difficulty among the unseen, with some noise
        distance = np.abs(items.b - estimate[:, None]) + rng.random(x.shape) * 0.5
        distance[~np.isnan(seen)] = np.inf
        chosen = distance.argmin(axis=1)
        drawn = x[np.arange(5_000), chosen]
        seen[np.arange(5_000), chosen] = drawn
        estimate += (2.0 * drawn - 1.0) * 1.2 / (step + 1) ** 0.7
    fit = irt.calibrate(irt.Responses.from_matrix(seen))
    slope = np.polyfit(items.b, fit.items.b, 1)[0]
    assert slope == pytest.approx(1.0, abs=0.04)
    assert abs(np.mean(fit.items.b - items.b)) < 0.05


@pytest.mark.parametrize("sd", [0.3, 5.0])
def test_the_nodes_follow_populations_that_are_narrow_or_wide(sd):
    rng = np.random.default_rng(28)
    items = irt.Items(ids=range(25), model="Rasch", b=rng.normal(size=25) * sd)
    responses = complete(rng, items, N, sd=sd)
    rasch, free = irt.calibrate(responses, model="Rasch"), irt.calibrate(responses)
    assert rasch.population.sd[0] == pytest.approx(sd, rel=0.08)
    assert np.median(free.items.a) == pytest.approx(sd, rel=0.08)


@pytest.mark.parametrize("n_items", [100, 300])
def test_long_tests_lose_nothing_to_the_chosen_nodes(n_items):
    rng = np.random.default_rng(29)
    items = bank(rng, n_items)
    responses = complete(rng, items, 600)
    fit, fine = irt.calibrate(responses), irt.calibrate(responses, grid=irt.Grid(321, -6.5, 6.5))
    assert fit.log_likelihood == pytest.approx(fine.log_likelihood, abs=5e-3)
    assert np.abs(fit.items.a - fine.items.a).max() < 2e-3


def test_five_thousand_items_a_person_do_not_underflow():
    rng = np.random.default_rng(30)
    items = irt.Items(ids=range(5_000), a=np.ones(5_000), b=rng.uniform(-1.5, 1.5, 5_000))
    responses = complete(rng, items, 60)
    priors = irt.Priors(a=irt.LogNormal(0, 0.5), b=irt.Normal(0, 2))
    fit = irt.calibrate(responses, priors=priors, tol=1e-2, grid=irt.Grid(61, -3.0, 3.0))
    assert fit.converged
    assert -0.7 < fit.log_likelihood / responses.n_observations < -0.5
    assert np.isfinite(fit.items.a).all()
    assert np.corrcoef(fit.items.b, items.b)[0, 1] > 0.85


def test_three_hundred_persons_on_two_thousand_items_converge():
    rng = np.random.default_rng(31)
    items = irt.Items(ids=range(2_000), a=np.ones(2_000), b=rng.uniform(-1.5, 1.5, 2_000))
    fit = irt.calibrate(complete(rng, items, 300), tol=1e-3)
    assert fit.converged
    assert np.isfinite(fit.items.b).all()


def test_groups_have_their_own_mean_and_sd_and_the_first_label_is_the_reference():
    rng = np.random.default_rng(32)
    items = bank(rng, 25)
    theta = np.concatenate([rng.normal(0.0, 1.0, 2_500), rng.normal(0.8, 1.3, 2_500)])
    labels = np.repeat(["2023", "2024"], 2_500)
    fit = irt.calibrate(irt.Responses.from_matrix(answers(rng, items, theta)), groups=labels)
    assert fit.population.groups == ("2023", "2024")
    assert fit.population.of("2023") == (pytest.approx(0.0, abs=1e-12), pytest.approx(1.0, abs=1e-12))
    assert fit.population.mean[1] == pytest.approx(0.8, abs=0.1)
    assert fit.population.sd[1] == pytest.approx(1.3, abs=0.1)
    assert fit.n_parameters == 2 * 25 + 2


def test_anchors_stay_fixed_and_the_population_comes_free():
    rng = np.random.default_rng(33)
    items = bank(rng, 25)
    anchors = items.take(range(8))
    fit = irt.calibrate(complete(rng, items, N, mean=0.6, sd=0.7), anchors=anchors)
    np.testing.assert_array_equal(fit.items.a[:8], items.a[:8])
    np.testing.assert_array_equal(fit.items.b[:8], items.b[:8])
    assert fit.population.of("all") == (pytest.approx(0.6, abs=0.06), pytest.approx(0.7, abs=0.06))
    assert rmse(fit.items.b[8:], items.b[8:]) < 0.15
    assert np.isnan(fit.standard_errors().a[:8]).all()


def test_a_histogram_finds_two_humps_that_a_normal_population_hides():
    rng = np.random.default_rng(34)
    items, n = bank(rng, 25), 1_500
    theta = np.where(rng.random(n) < 0.7, rng.normal(-0.65, 0.4, n), rng.normal(1.5, 0.4, n))
    responses = irt.Responses.from_matrix(answers(rng, items, (theta - theta.mean()) / theta.std()))
    normal = irt.calibrate(responses)
    free = irt.calibrate(responses, population="empirical-histogram")
    assert free.log_likelihood > normal.log_likelihood + 20
    assert rmse(free.items.b, items.b) < rmse(normal.items.b, items.b)
    assert free.population.mean[0] == pytest.approx(0.0, abs=1e-6)
    assert free.population.sd[0] == pytest.approx(1.0, abs=1e-6)


def test_a_histogram_has_a_weight_a_node_less_its_sum_and_what_the_scale_takes():
    rng = np.random.default_rng(36)
    items = bank(rng, 6)
    x, grid = answers(rng, items, rng.normal(size=400)), irt.Grid(9, -4.0, 4.0)
    responses, two = irt.Responses.from_matrix(x), np.repeat(["x", "y"], 200)
    priors = irt.Priors(a=irt.LogNormal(0.0, 0.5))
    options = {
        "population": "empirical-histogram",
        "grid": grid,
        "priors": priors,
        "max_cycles": 25,
    }  # a count needs no maximum
    assert irt.calibrate(responses, **options).n_parameters == 2 * 6 + 8 - 2
    assert irt.calibrate(responses, groups=two, **options).n_parameters == 2 * 6 + 2 * 8 - 2
    assert irt.calibrate(responses, anchors=items.take([0, 1]), **options).n_parameters == 2 * 4 + 8


def test_plain_answers_of_five_hundred_persons_need_no_priors():
    rng = np.random.default_rng(35)
    user, item, answer = some_of(rng, bank(rng, 150), 500, 26)
    kept = rng.permutation(len(user))[:12_345]
    fit = irt.calibrate(irt.Responses.from_long(user[kept], item[kept], answer[kept]))
    assert fit.converged or fit.notes
    assert fit.cycles < 100
