"""The criterion means the distance to the limit, at every number of persons; the path says how it went."""

import banks
import numpy as np
import pytest

from simulated import answers, bank, complete, some_of
from thetaline import irt
from thetaline.irt.calibration import blocking, observed_data, warm_start

SIZES = [500, 5_000, 40_000]


@pytest.mark.parametrize("n_persons", SIZES)
def test_converged_means_within_the_tolerance_of_the_limit(n_persons):
    rng = np.random.default_rng(51)
    responses = irt.Responses.from_matrix(answers(rng, bank(rng, 20), rng.normal(size=n_persons)))
    fit, limit = irt.calibrate(responses, tol=1e-3), irt.calibrate(responses, tol=1e-7)
    assert fit.converged
    assert np.abs(fit.items.a - limit.items.a).max() < 1e-3
    assert np.abs(fit.items.a * fit.items.b - limit.items.a * limit.items.b).max() < 1e-3


@pytest.mark.parametrize(
    "options", [{"priors": irt.Priors(b=irt.Normal(0, 2))}, {"grid": irt.Grid()}], ids=["priors", "grid"]
)
def test_the_criterion_holds_where_the_population_cannot_be_expanded(options):
    rng = np.random.default_rng(52)
    responses = irt.Responses.from_long(*some_of(rng, bank(rng, 60), 800, 20))
    fit, limit = (irt.calibrate(responses, tol=tol, **options) for tol in (1e-3, 1e-7))
    assert np.abs(fit.items.a - limit.items.a).max() < 1e-3
    assert fit.cycles < 40


def test_the_number_of_cycles_hardly_grows_with_the_persons():
    rng = np.random.default_rng(53)
    items = bank(rng, 20)
    cycles = [irt.calibrate(irt.Responses.from_matrix(answers(rng, items, rng.normal(size=n)))).cycles for n in SIZES]
    assert max(cycles) < 2 * min(cycles)


def test_the_likelihood_never_falls_but_where_a_step_was_taken_back():
    rng = np.random.default_rng(54)
    fit = irt.calibrate(irt.Responses.from_matrix(answers(rng, bank(rng, 15), rng.normal(size=900))), tol=1e-6)
    kept = [cycle.log_likelihood for cycle in fit.path if np.isfinite(cycle.largest_change)]
    assert (np.diff(kept) > -1e-6).all()
    assert [cycle.cycle for cycle in fit.path] == list(range(1, fit.cycles + 1))


def test_progress_hears_of_every_cycle():
    rng = np.random.default_rng(55)
    heard = []
    fit = irt.calibrate(
        irt.Responses.from_matrix(answers(rng, bank(rng, 10), rng.normal(size=500))), progress=heard.append
    )
    assert heard == [cycle for cycle in fit.path if np.isfinite(cycle.largest_change)]
    assert heard[-1].largest_change < 1e-4


def test_too_few_cycles_are_said_so():
    rng = np.random.default_rng(56)
    fit = irt.calibrate(irt.Responses.from_matrix(answers(rng, bank(rng, 10), rng.normal(size=500))), max_cycles=2)
    assert fit.status is irt.Status.OUT_OF_CYCLES
    assert not fit.converged
    assert "raise max_cycles" in fit.status.advice


def test_many_persons_are_warmed_up_on_a_part_of_them(monkeypatch):
    rng = np.random.default_rng(57)
    responses = irt.Responses.from_matrix(answers(rng, bank(rng, 60), rng.normal(size=4_000)))
    for name, value in (("WARM_ANSWERS", 20_000), ("WARM_ANSWERS_AN_ITEM", 0)):
        monkeypatch.setattr(warm_start, name, value)
    monkeypatch.setattr(blocking, "DENSE_ROWS", 128)
    monkeypatch.setattr(observed_data, "FLOAT32_FROM", 100_000)
    fit = irt.calibrate(responses)
    assert fit.path[0].share < 0.5
    assert fit.path[-1].share == 1.0
    whole = irt.calibrate(responses, grid=irt.Grid(81, -6, 6))
    assert np.abs(fit.items.a - whole.items.a).max() < 5e-4
    assert fit.log_likelihood == pytest.approx(whole.log_likelihood, abs=0.05)


def test_a_prior_stands_in_the_estimate_and_not_in_the_likelihood():
    rng = np.random.default_rng(58)
    responses = irt.Responses.from_matrix(answers(rng, bank(rng, 10), rng.normal(size=400)))
    free, held = irt.calibrate(responses), irt.calibrate(responses, priors=irt.Priors(b=irt.Normal(0, 0.3)))
    assert np.abs(held.items.b).max() < np.abs(free.items.b).max()
    assert held.log_likelihood < free.log_likelihood


PRIORS = irt.Priors(a=irt.LogNormal(0.0, 0.3), b=irt.Normal(0.5, 1.0))


def log_posterior(responses, model, a, b, sd):
    """Written out, on nodes of its own."""
    items = irt.Items(ids=responses.item_ids, a=np.broadcast_to(a, b.shape), b=b)
    nodes = np.linspace(-8.0, 8.0, 161)
    table = items.log_prob(nodes)[items.offsets[responses.item] + responses.answer]
    weights = -0.5 * (nodes / sd) ** 2
    joint = table.reshape(responses.n_persons, len(b), -1).sum(axis=1) + weights - np.logaddexp.reduce(weights)
    prior = 0.0 if model == "Rasch" else PRIORS.a.log_density(np.atleast_1d(a)).sum()
    return float(np.logaddexp.reduce(joint, axis=1).sum() + prior + PRIORS.b.log_density(b).sum())


@pytest.mark.parametrize("grid", [None, irt.Grid(121, -7, 7)], ids=["chosen nodes", "given nodes"])
@pytest.mark.parametrize("model", ["Rasch", "1PL", "2PL"])
def test_the_posterior_mode_has_no_slope(model, grid):
    rng = np.random.default_rng(59)
    responses = irt.Responses.from_matrix(answers(rng, bank(rng, 6), rng.normal(size=300)))
    fit = irt.calibrate(responses, model=model, priors=PRIORS, grid=grid, tol=1e-8)
    a = fit.items.a if model == "2PL" else fit.items.a[:1]
    at = np.concatenate([fit.items.b, fit.population.sd if model == "Rasch" else a])

    def value(x):
        slope, sd = (np.ones(1), x[6]) if model == "Rasch" else (x[6:], 1.0)
        return log_posterior(responses, model, slope, x[:6], sd)

    step = 1e-4
    nudges = step * np.eye(len(at))
    gradient = [(value(at + nudge) - value(at - nudge)) / (2 * step) for nudge in nudges]
    np.testing.assert_allclose(gradient, 0.0, atol=2e-3)


DESIGNS = ("complete", "thin groups", "anchors", "groups tied by the priors alone")
ON_ALL = irt.Priors(a=irt.LogNormal(0, 0.5), b=irt.Normal(0, 2), c=irt.Beta(5, 17), d=irt.Beta(17, 5))


def designed(model, design):
    """Answers, and the options of `calibrate`; asymptotes always have a prior."""
    rng = np.random.default_rng(60)
    items, n, wanted = banks.bank(model), 900, ON_ALL if model in {"3PL", "4PL"} else None
    if design == "complete":
        return complete(rng, items, n), {"priors": wanted}
    n_groups = 2 if design == DESIGNS[3] else 3
    group = np.arange(n) % n_groups
    theta = rng.normal(0.4 * group, 1.0)
    if design == "anchors":
        anchors = items.take(["i0", "i5", "i9"])
        return irt.simulate(items, theta, rng), {"groups": group, "priors": wanted, "anchors": anchors}
    own = np.arange(12) % n_groups == group[:, None]
    answered = {"n_answers": 6} if design == "thin groups" else {"mask": own}
    return irt.simulate(items, theta, rng, **answered), {"groups": group, "priors": ON_ALL}


def farthest_from_limit(fit, limit):
    """Of slopes, intercepts, asymptotes as probabilities, means and log standard deviations, in tolerances of `fit`."""

    def parameters(of):
        intercepts = of.items.a[:, None] * of.items.b.reshape(len(of.items), -1)
        moments = [of.population.mean, np.log(of.population.sd)]
        return np.concatenate([of.items.a, intercepts.ravel(), of.items.c, of.items.d, *moments])

    return np.nanmax(np.abs(parameters(fit) - parameters(limit))) / fit.tol


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("model", banks.MODELS)
def test_every_model_ends_within_the_tolerance_of_its_limit(model, design):
    responses, options = designed(model, design)
    fit, limit = (irt.calibrate(responses, model, tol=tol, **options) for tol in (1e-4, 1e-9))
    assert fit.converged
    assert limit.converged
    assert farthest_from_limit(fit, limit) < 1.0
    assert fit.cycles < 100


@pytest.mark.filterwarnings("ignore:3PL without a prior on c")
def test_logits_of_asymptotes_near_zero_do_not_steer_the_acceleration():
    responses = [complete(np.random.default_rng(seed), banks.bank("3PL", 8, seed), 1500) for seed in (5, 11)]
    assert sum(irt.calibrate(one, "3PL").cycles for one in responses) < 95


def test_what_a_part_of_the_persons_taught_does_not_mislead_on_all_of_them(monkeypatch):
    for name, value in (("WARM_ANSWERS", 1_000), ("WARM_ANSWERS_AN_ITEM", 60)):
        monkeypatch.setattr(warm_start, name, value)
    monkeypatch.setattr(blocking, "SPARSE_ROWS", 200)
    rng = np.random.default_rng(0)
    fit = irt.calibrate(irt.Responses.from_long(*some_of(rng, bank(rng, 200), 4_000, 30)))
    shares = [cycle.share for cycle in fit.path]
    assert shares[0] < 0.2
    assert shares.count(1.0) < 12


@pytest.mark.filterwarnings("ignore:3PL without a prior on c")
@pytest.mark.parametrize("seed", [0, 2, 5, 11])
def test_asymptotes_at_their_bound_do_not_hold_up_the_slopes_beside_them(seed):
    responses = complete(np.random.default_rng(seed), banks.bank("3PL", 8, seed), 1500)
    fit, limit = (irt.calibrate(responses, "3PL", tol=tol) for tol in (1e-4, 1e-8))
    assert fit.ids_with(irt.Finding.ASYMPTOTE)
    assert fit.converged
    assert limit.converged
    assert farthest_from_limit(fit, limit) < 1.0
    assert fit.cycles < 150


def test_a_posterior_without_a_maximum_is_not_called_converged():
    """A prior on b alone is highest where a group's abilities, and with them its items' b, are all the same."""
    responses, options = designed("2PL", "groups tied by the priors alone")
    fit = irt.calibrate(responses, groups=options["groups"], priors=irt.Priors(b=irt.Normal(0, 2)), max_cycles=200)
    assert not fit.converged
