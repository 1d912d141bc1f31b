"""The M-step goes uphill from wherever it starts, and ends where the expected log-likelihood has no slope."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from banks import MODELS, bank

from thetaline import irt
from thetaline.irt.calibration.m_step import item_m_step

FLAT = irt.Priors()
CURVED = irt.Priors(a=irt.LogNormal(0.0, 0.4), b=irt.Normal(0.0, 1.0), c=irt.Beta(5, 17), d=irt.Beta(17, 5))


@cache
def expected(model, priors):
    """A model, a state and the counts that it expects."""
    rng = np.random.default_rng(91)
    responses = irt.simulate(bank(model, n=6), rng.normal(size=400), rng)
    solution = irt.calibrate(responses, model=model, priors=CURVED)._solution
    problem = replace(solution.problem, priors=priors)
    counts = problem.block_counts(solution.state, problem.e_step(solution.state))
    return problem.model, solution.state, counts


def objectives(model, counts, state):
    """What must not fall: of every item, or of all together where they share their slope."""
    values = np.concatenate([block.objective(free) for block, free in zip(counts, state.free, strict=True)])
    return values.sum(keepdims=True) if model.item_blocks[0].tie else values


def far_from(state, rng, signs):
    """Slopes flat or steep, of one of the `signs`, and the rest moved far up or down."""
    free = []
    for values in state.free:
        out = values.copy()
        n_slopes = 1 if np.ptp(values[:, 0]) == 0.0 else len(values)
        out[:, 0] = rng.choice(signs, n_slopes) * rng.lognormal(0.0, 1.5, n_slopes)
        out[:, 1:] += rng.normal(0.0, 2.0, (len(out), 1))
        free.append(out)
    return replace(state, free=tuple(free))


@pytest.mark.parametrize("priors", [FLAT, CURVED], ids=["no priors", "priors"])
@pytest.mark.parametrize("model", MODELS)
def test_a_step_from_afar_is_shortened_until_it_goes_uphill(model, priors):
    structure, state, counts = expected(model, priors)
    gained = []
    for seed in range(40):
        signs = [1.0] if priors is CURVED else [-1.0, 1.0]  # a log-normal slope is positive
        before = far_from(state, np.random.default_rng([92, seed]), signs)
        after = item_m_step(structure, before, counts, steps=1)
        low, high = (objectives(structure, counts, each) for each in (before, after))
        assert (high >= low).all()
        gained.append(high > low)
    # the curvature of an asymptote may leave a direction that even 1 / 128 of a step overshoots
    assert np.mean(gained) >= (0.97 if model in {"3PL", "4PL"} else 1.0)


@pytest.mark.parametrize("priors", [FLAT, CURVED], ids=["no priors", "priors"])
@pytest.mark.parametrize("model", MODELS)
def test_many_steps_end_where_the_expected_log_posterior_has_no_slope(model, priors):
    structure, state, counts = expected(model, priors)
    start = replace(
        state, free=tuple(values * np.array([1.3, *[0.8] * (values.shape[1] - 1)]) for values in state.free)
    )
    after = item_m_step(structure, start, counts, steps=60)
    (block,), (free,) = counts, after.free
    gradient = block.gradient(free)
    if structure.item_blocks[0].tie:
        gradient[:, 0] = gradient[:, 0].sum()
        assert np.ptp(free[:, 0]) == 0.0
    np.testing.assert_allclose(gradient, 0.0, atol=1e-4)


@pytest.mark.parametrize("priors", [FLAT, CURVED], ids=["no priors", "priors"])
@pytest.mark.parametrize("model", MODELS)
def test_gradients_are_difference_quotients_of_the_expected_log_posterior(model, priors):
    _, state, counts = expected(model, priors)
    (block,), free = counts, state.free[0] + 0.1
    step = 1e-5 * np.eye(free.shape[1])
    quotient = [(block.objective(free + one) - block.objective(free - one)) / 2e-5 for one in step]
    np.testing.assert_allclose(block.gradient(free).T, quotient, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(block.terms(free).gradient.T, quotient, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("priors", [FLAT, CURVED], ids=["no priors", "priors"])
@pytest.mark.parametrize("model", ["Rasch", "1PL", "PCM"])
def test_items_that_share_their_slope_take_the_newton_step_of_all_parameters_together(model, priors):
    structure, state, counts = expected(model, priors)
    before = state.free[0] + np.linspace(-0.02, 0.02, 6)[:, None] * np.arange(state.free[0].shape[1])
    terms, n, p = counts[0].terms(before), *before.shape
    number = np.column_stack([np.zeros(n, dtype=int), 1 + np.arange(n * (p - 1)).reshape(n, p - 1)])
    gradient, information = np.zeros(1 + n * (p - 1)), np.zeros((1 + n * (p - 1),) * 2)
    for item in range(n):
        gradient[number[item]] += terms.gradient[item]
        information[np.ix_(number[item], number[item])] += terms.information[item]
    step = np.linalg.solve(information, gradient)[number]
    after = item_m_step(structure, replace(state, free=(before,)), counts, steps=1)
    np.testing.assert_allclose(after.free[0] - before, step, atol=1e-9)


def test_items_whose_slope_is_given_keep_it():
    rng = np.random.default_rng(93)
    items = bank("Rasch", n=6)
    responses = irt.simulate(items, rng.normal(size=400), rng)
    solution = irt.calibrate(responses, model="Rasch", anchors=items.take(["i0"]))._solution
    counts = solution.problem.block_counts(solution.state, solution.problem.e_step(solution.state))
    before = replace(solution.state, free=(solution.state.free[0] + np.array([0.0, 0.7]),))
    after = item_m_step(solution.problem.model, before, counts, steps=3)
    assert (after.free[0][:, 0] == 1.0).all()
    np.testing.assert_allclose(after.free[0][:, 1], solution.state.free[0][:, 1], atol=1e-3)
