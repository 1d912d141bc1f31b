"""Expectation propagation gives the posterior of dense grids and of NUTS, for every family, and its own gradient."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.growth_approximations import PHI, dense, laplace, propagated, thin_school
from benchmarks.growth_nuts import compare, school_and_fit
from scipy.special import logsumexp
from tests.learning.growth_cohorts import cohort

from thetaline import irt
from thetaline.learning.growth import NO_TOPIC, GrowthAnswers, GrowthSpec
from thetaline.learning.growth.data_checks import prepared
from thetaline.learning.growth.marginal import Cohort, fit_block
from thetaline.learning.growth.maximum import LogPosterior

NUTS = Path(__file__).parent / "data" / "growth_nuts.json"


def test_thin_answers_have_the_posterior_of_a_dense_grid_which_laplace_misses() -> None:
    school = thin_school(6, 3, 5)
    truth, ours, theirs = (method(school, PHI) for method in (dense, propagated, laplace))
    assert ours.mean == pytest.approx(truth.mean, abs=2e-3 * truth.sd.max())
    assert ours.sd == pytest.approx(truth.sd, rel=8e-3)
    assert ours.log_likelihood == pytest.approx(truth.log_likelihood, abs=5e-3)
    assert np.abs(theirs.mean - truth.mean).max() > 20 * np.abs(ours.mean - truth.mean).max()


def test_lines_and_parameters_agree_with_draws_of_nuts() -> None:
    """200 learners × 8 weeks × 5 answers; a mean of 2,000 draws is itself known to some hundredths of its sd."""
    apart = compare(school_and_fit()[1], json.loads(NUTS.read_text()))
    assert apart["level, mean difference / sd"] < 0.03
    assert apart["slope, mean difference / sd"] < 0.03
    assert max(apart["level, largest difference / sd"], apart["slope, largest difference / sd"]) < 0.15
    assert apart["sd of the level, mean ratio"] == pytest.approx(1, abs=0.02)
    assert apart["sd of the slope, mean ratio"] == pytest.approx(1, abs=0.05)
    assert max(value for name, value in apart.items() if name.startswith("parameter")) < 0.35


def small(answers: GrowthAnswers, **options: bool) -> Cohort:
    data = prepared(answers, GrowthSpec(now_week=int(answers.week.max()), **options))
    assert not isinstance(data, str)
    return data.cohort


def test_the_gradient_is_that_of_the_log_likelihood() -> None:
    school = small(cohort(12, 5, 4, seed=3).answers)
    cells = next(school.blocks())
    phi = np.array([0.1, 0.03, -0.1, -3.0, 0.2, -0.9, -2.5])
    found = fit_block(school, cells, phi).score.sum(axis=0)
    for at, slope in enumerate(found):
        step = np.eye(phi.size)[at] * 1e-3
        up, down = (fit_block(school, cells, phi + way).at.log_likelihood.sum() for way in (step, -step))
        assert slope == pytest.approx((up - down) / 2e-3, abs=2e-3)


def test_near_parameters_whose_sites_are_known_lines_are_those_of_a_fit_there() -> None:
    made = cohort(60, 6, 5, seed=8).answers
    target = LogPosterior(small(made), GrowthSpec(now_week=5))
    phi = np.array([0.1, 0.03, -0.1, -3.0, 0.2, -0.9, -2.5])
    away = phi + np.array([0.1, 0.01, 0.15, 0.2, 0.2, 0.2, 0.4])
    start = target.lines(phi)
    near, value = target.lines_near(away), target.lines_near(phi).log_likelihood
    fit = target.lines(away)
    sd = np.sqrt(np.einsum("nll->nl", fit.covariance))
    assert (np.abs(near.mean - fit.mean) / sd).max() < 0.08
    assert (np.abs(start.mean - fit.mean) / sd).max() > 0.2  # so that there is something to follow
    assert np.sqrt(np.einsum("nll->nl", near.covariance)) == pytest.approx(sd, rel=0.04)
    assert near.log_likelihood - value == pytest.approx(fit.log_likelihood - start.log_likelihood, abs=0.4)


@pytest.mark.parametrize("model", ["3PL", "GRM", "GPCM"])
def test_every_family_of_items_serves(model: str) -> None:
    """Without topics and walk a learner has two effects: one grid over both, on curves of the bank itself."""
    rng = np.random.default_rng(4)
    steps = None if model == "3PL" else np.sort(rng.normal(0, 1, (20, 3)), axis=1)
    c = np.full(20, 0.2) if model == "3PL" else None
    b = rng.normal(size=20) if steps is None else steps
    bank = irt.Items(ids=range(20), model=model, a=rng.lognormal(0, 0.3, 20), b=b, c=c)
    item, week = np.tile(np.arange(20, dtype=np.int32), 6), np.tile(np.repeat([0, 2, 3, 7], 5).astype(np.int32), 6)
    learner = np.repeat(np.arange(6, dtype=np.int32), 20)
    category = rng.integers(0, bank.n_categories[item]).astype(np.uint8)
    answers = GrowthAnswers(learner, item, category, week, np.full(120, NO_TOPIC, np.int32), 6, bank)
    school = small(answers, topic_spread=False, process_noise=False)
    phi = np.array([0.0, 0.1, 0.0, np.log(0.1), 0.0])
    at = fit_block(school, next(school.blocks()), phi).at
    z = np.linspace(-6, 6, 61)
    u = np.stack(np.meshgrid(z, z, indexing="ij"), axis=-1).reshape(-1, 2)
    value = -np.square(u).sum(axis=1) / 2 + np.log(0.04 / (2 * np.pi))
    value = np.repeat(value[None], 6, axis=0)
    for j in range(120):
        theta = u[:, 0] + (0.1 + 0.1 * u[:, 1]) * (week[j] - 7)
        value[learner[j]] += bank[[item[j]]].log_prob(theta)[category[j]]
    assert at.log_likelihood == pytest.approx(logsumexp(value, axis=1), abs=0.02 if model == "3PL" else 2e-3)


def test_answers_without_a_topic_tell_of_the_line_alone() -> None:
    made = cohort(20, 4, 5, seed=5).answers
    nowhere = replace(made, topic=np.full(made.n_answers, NO_TOPIC, np.int32))
    phi = np.array([0.1, 0.03, -0.1, -3.0, 0.2, -3.0])
    without = small(nowhere, topic_spread=False)
    with_spread = replace(without, model=replace(without.model, topic_spread=True))
    phi_with = np.insert(phi, 5, np.log(0.8))
    alone, beside = (
        fit_block(school, next(school.blocks()), at).at for school, at in ((without, phi), (with_spread, phi_with))
    )
    assert beside.log_likelihood == pytest.approx(alone.log_likelihood, abs=1e-5)


def test_the_order_of_answers_and_of_learners_changes_nothing() -> None:
    made = cohort(20, 4, 5, seed=6).answers
    phi = np.array([0.1, 0.03, -0.1, -3.0, 0.2, -0.9, -2.5])
    mixed = made.where(np.random.default_rng(1).permutation(made.n_answers))
    one, other = (small(answers) for answers in (made, mixed))
    first, second = (fit_block(school, next(school.blocks()), phi).at.log_likelihood for school in (one, other))
    assert second == pytest.approx(first, abs=1e-9)
