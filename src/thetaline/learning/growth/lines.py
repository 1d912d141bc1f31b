"""Every learner's line from the posteriors of the blocks."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from thetaline.learning._types import Array, Index, Int32s
from thetaline.learning.growth.answers import GrowthAnswers
from thetaline.learning.growth.bend import Bend, foretold, held_out, plateau
from thetaline.learning.growth.cells import Cells
from thetaline.learning.growth.gaussian import BlockPosterior, Sites
from thetaline.learning.growth.marginal import BlockFit, Cohort
from thetaline.learning.growth.propagation import with_sites
from thetaline.learning.growth.result import NO_WEEK, LearnerLines

LINE = 2  # level and slope


class BlockLines(NamedTuple):
    """Of the learners `who`: mean (B, 2) and covariance (B, 2, 2) of level now and slope, given the parameters."""

    who: Index
    mean: Array
    covariance: Array
    log_likelihood: float
    gradient: Array  # (P,) of the block's log-likelihood
    bends: list[Bend]


class Lines(NamedTuple):
    """Moments of level and slope, (N, 2) and (N, 2, 2), with log-likelihood and gradient (P,) of all answers."""

    mean: Array
    covariance: Array
    log_likelihood: float
    gradient: Array
    bends: list[Bend]  # one a knot, of all learners


def learner_lines(cohort: Cohort, mean: Array, covariance: Array, bend_week: Int32s) -> LearnerLines:
    """Of all N learners from the moments of level and slope, (N, 2) and (N, 2, 2)."""
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
        bend_week=bend_week,
    )


def lines_of(cohort: Cohort, phi: Array, fit: BlockFit, ends: Sequence[float] = ()) -> BlockLines:
    """Moments of a block's lines, and of plateaus that begin at `ends` weeks from now."""
    mean, covariance = _moments(cohort, phi, fit.cells.learner, fit.at.posterior)
    bends = _bends(cohort, phi, fit, ends) if ends else []
    value, gradient = float(fit.at.log_likelihood.sum()), fit.score.sum(axis=0)
    return BlockLines(fit.cells.learner, mean, covariance, value, gradient, bends)


def lines_by_sites(cohort: Cohort, phi: Array, cells: Cells, sites: Sites) -> BlockLines:
    """Moments of a block's lines at parameters near those of the `sites`, which stand for the answers."""
    value, block = with_sites(cells, sites, cohort.mean(phi, cells.learner), cohort.prior(phi))
    mean, covariance = _moments(cohort, phi, cells.learner, block)
    return BlockLines(cells.learner, mean, covariance, float(value.sum()), np.zeros(phi.size), [])


def _moments(cohort: Cohort, phi: Array, who: Index, block: BlockPosterior) -> tuple[Array, Array]:
    line = cohort.prior(phi).line
    mean = cohort.line(phi, who) + block.z[:, :LINE] @ line.T
    return mean, line @ block.z_cov[:, :LINE, :LINE] @ line.T


def _bends(cohort: Cohort, phi: Array, fit: BlockFit, ends: Sequence[float]) -> list[Bend]:
    who, last = fit.cells.learner, held_out(cohort.from_now)

    def foretells(by: Cohort) -> tuple[Array, BlockPosterior]:
        return foretold(fit.cells, fit.at.sites, by.mean(phi, who), by.prior(phi), last)

    line, _ = foretells(cohort)
    bends = []
    for knot in ends:
        ended = replace(cohort, basis=np.minimum(cohort.from_now, knot))
        value, block = foretells(ended)
        bends.append(Bend(value - line, *plateau(*_moments(ended, phi, who, block), knot)))
    return bends


def gathered(cohort: Cohort, phi: Array, blocks: Iterable[BlockLines], ends: Sequence[float] = ()) -> Lines:
    """Of all N learners, those without answers by the prior."""
    line, everybody = cohort.prior(phi).line, np.arange(cohort.answers.n_learners)
    mean = cohort.line(phi, everybody)
    covariance = np.broadcast_to(line @ line.T, (len(mean), LINE, LINE)).copy()
    bends = [Bend(np.zeros(len(mean)), *plateau(mean, covariance, knot)) for knot in ends]
    value, gradient = 0.0, np.zeros(phi.size)
    for block in blocks:
        mean[block.who], covariance[block.who] = block.mean, block.covariance
        value, gradient = value + block.log_likelihood, gradient + block.gradient
        for of_all, of_block in zip(bends, block.bends, strict=True):
            for whole, part in zip(of_all, of_block, strict=True):
                whole[block.who] = part
    return Lines(mean, covariance, value, gradient, bends)


def _weeks(answers: GrowthAnswers) -> tuple[Int32s, Int32s, Int32s]:
    """First and last week of each learner, and in how many there are answers."""
    pairs = np.unique(answers.learner.astype(np.int64) << 32 | (answers.week.astype(np.int64) - NO_WEEK))
    learner, week = pairs >> 32, (pairs & 0xFFFFFFFF) + NO_WEEK
    first, last = np.full((2, answers.n_learners), NO_WEEK, np.int32)
    last[learner] = week  # ascending within a learner, so that the last one stays
    first[learner[::-1]] = week[::-1]
    return first, last, np.bincount(learner, minlength=answers.n_learners).astype(np.int32)
