"""The criterion means the distance to the limit, at every number of persons; the path says how it went."""

import numpy as np
import pytest

from simulated import answers, bank, some_of
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
