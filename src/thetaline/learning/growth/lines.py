"""Every learner's line from the posteriors of the blocks."""

from collections.abc import Iterable

import numpy as np

from thetaline.learning._types import Array, Int32s
from thetaline.learning.growth.answers import GrowthAnswers
from thetaline.learning.growth.marginal import BlockFit, Cohort
from thetaline.learning.growth.result import NO_WEEK, LearnerLines

LINE = 2  # level and slope


def learner_lines(cohort: Cohort, phi: Array, fits: Iterable[BlockFit]) -> LearnerLines:
    """Of all N learners, those without answers included."""
    mean, covariance = line_moments(cohort, phi, fits)
    sd = np.sqrt(np.einsum("nll->nl", covariance))
    spread = sd[:, 0] * sd[:, 1]
    first, last, n_weeks = _weeks(cohort.answers)
    return LearnerLines(
        level=mean[:, 0],
        slope=mean[:, 1],
        sd_level=sd[:, 0],
        sd_slope=sd[:, 1],
        correlation=np.divide(covariance[:, 0, 1], spread, out=np.zeros_like(spread), where=spread > 0),
        n_answers=cohort.answers.counts().astype(np.int32),
        n_weeks=n_weeks,
        first_week=first,
        last_week=last,
        bend_week=np.full(len(mean), NO_WEEK, np.int32),
    )


def line_moments(cohort: Cohort, phi: Array, fits: Iterable[BlockFit]) -> tuple[Array, Array]:
    """Mean (N, 2) and covariance (N, 2, 2) of level now and slope, given the parameters."""
    line, n_level, n_fixed = cohort.prior(phi).line, cohort.model.n_level, cohort.model.n_fixed
    mean = np.stack([cohort.level_design @ phi[:n_level], cohort.slope_design @ phi[n_level:n_fixed]], axis=1)
    covariance = np.broadcast_to(line @ line.T, (len(mean), LINE, LINE)).copy()
    for fit in fits:
        who, block = fit.cells.learner, fit.at.posterior
        mean[who] += block.z[:, :LINE] @ line.T
        covariance[who] = line @ block.z_cov[:, :LINE, :LINE] @ line.T
    return mean, covariance


def _weeks(answers: GrowthAnswers) -> tuple[Int32s, Int32s, Int32s]:
    """First and last week of each learner, and in how many there are answers."""
    pairs = np.unique(answers.learner.astype(np.int64) << 32 | (answers.week.astype(np.int64) - NO_WEEK))
    learner, week = pairs >> 32, (pairs & 0xFFFFFFFF) + NO_WEEK
    first, last = np.full((2, answers.n_learners), NO_WEEK, np.int32)
    last[learner] = week  # ascending within a learner, so that the last one stays
    first[learner[::-1]] = week[::-1]
    return first, last, np.bincount(learner, minlength=answers.n_learners).astype(np.int32)
