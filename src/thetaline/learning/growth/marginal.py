"""The marginal log-likelihood of a cohort with its gradient, block of learners by block of learners."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np

from thetaline.irt.threads import thread_count
from thetaline.learning._types import Array, Index
from thetaline.learning.growth.answers import GrowthAnswers
from thetaline.learning.growth.cells import Cells, blocks
from thetaline.learning.growth.gaussian import Sites
from thetaline.learning.growth.model import GrowthModel, WeekPrior, walk_factor, week_prior
from thetaline.learning.growth.propagation import (
    REACH,
    LikelihoodTable,
    Propagated,
    equal_nodes,
    likelihood_table,
    narrowest,
    propagate,
)

Part = TypeVar("Part")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Answers by learner, the calendar weeks in which there are any, and the design of the means."""

    answers: GrowthAnswers
    model: GrowthModel
    weeks: Index  # (W,) ascending
    basis: Array  # (W,) what the slope is multiplied with: weeks from now, or from a bend
    from_now: Array  # (W,) weeks from now, never positive
    level_design: Array  # (N, n_level)
    slope_design: Array  # (N, n_slope)

    @property
    def n_learners(self) -> int:
        """Learners with answers."""
        return np.unique(self.answers.learner).size

    def line(self, phi: Array, who: Index) -> Array:
        """(B, 2) prior mean of level and slope."""
        n_level, n_fixed = self.model.n_level, self.model.n_fixed
        level, slope = self.level_design[who] @ phi[:n_level], self.slope_design[who] @ phi[n_level:n_fixed]
        return np.stack([level, slope], axis=1)

    def mean(self, phi: Array, who: Index) -> Array:
        """(B, W) prior mean of θ."""
        line = self.line(phi, who)
        return np.asarray(line[:, :1] + line[:, 1:] * self.basis)

    def prior(self, phi: Array) -> WeekPrior:
        """Of θ of the weeks around its mean."""
        return week_prior(self.model, phi, self.basis, walk_factor(self.from_now))

    def blocks(self) -> Iterator[Cells]:
        """The cells of the learners with answers."""
        return blocks(self.answers, self.weeks)


class BlockFit(NamedTuple):
    """One block at some parameters."""

    cells: Cells
    at: Propagated
    score: Array  # (B, P) d log-likelihood of each learner / d phi


class Total(NamedTuple):
    """Sums over learners: log-likelihood, gradient (P,), and the cross-product of the learners' gradients (P, P)."""

    log_likelihood: float
    gradient: Array
    information: Array


def fit_block(cohort: Cohort, cells: Cells, phi: Array, sites: Sites | None = None) -> BlockFit:
    """Posterior and score of a block; `sites` are those of a fit near by, if there is one."""
    prior, mean = cohort.prior(phi), cohort.mean(phi, cells.learner)
    at = propagate(cells, _table(cohort, cells, mean, prior), mean, prior, sites)
    return BlockFit(cells, at, _score(cohort, cells.learner, at, prior))


def _table(cohort: Cohort, cells: Cells, mean: Array, prior: WeekPrior) -> LikelihoodTable:
    variance = np.square(prior.factor).sum(axis=1) + prior.topic_sd**2  # of each week's θ
    reach = REACH * np.sqrt(variance.max())
    step = narrowest(cells, prior.topic_sd, float(variance.min()))
    nodes = equal_nodes(float(mean.min() - reach), float(mean.max() + reach), step)
    return likelihood_table(cells, cohort.answers.bank, nodes)


def _score(cohort: Cohort, who: Index, at: Propagated, prior: WeekPrior) -> Array:
    """Fisher's identity: the gradient of the marginal is the expected gradient of what is complete."""
    block, model = at.posterior, cohort.model
    by_mean = block.shift - np.einsum("bwv,bv->bw", block.precision, block.week)
    of_factor = by_mean[:, :, None] * block.z[:, None, :] - block.precision @ (prior.factor @ block.z_cov)
    by_spread = of_factor.reshape(len(who), -1) @ prior.derivatives.reshape(len(prior.derivatives), -1).T
    by_topic = (np.square(block.topic) + block.topic_var - 1).sum(axis=1)
    spread = {name: by_spread[:, at] for at, name in enumerate(n for n in model.spread_names if n != "topic_sd")}
    spread["topic_sd"] = by_topic
    fixed = [
        by_mean.sum(axis=1)[:, None] * cohort.level_design[who],
        (by_mean @ cohort.basis)[:, None] * cohort.slope_design[who],
    ]
    return np.hstack([*fixed, *(spread[name][:, None] for name in model.spread_names)])


def summed(fits: Iterable[BlockFit]) -> Total:
    """Over the learners of all blocks."""
    parts = [(fit.at.log_likelihood.sum(), fit.score.sum(axis=0), fit.score.T @ fit.score) for fit in fits]
    value, gradient, information = (sum(column) for column in zip(*parts, strict=True))
    return Total(float(value), gradient, information)


def map_blocks(
    function: Callable[[Part], Result], parts: Iterable[Part], threads: int | None, n_answers: int
) -> Iterator[Result]:
    """function(part) of each, in order, with few more parts in memory than threads are at work."""
    n = thread_count(threads, n_answers)
    if n == 1:
        yield from map(function, parts)
        return
    with ThreadPoolExecutor(n) as executor:
        waiting = iter(parts)
        running = [executor.submit(function, part) for part in islice(waiting, 2 * n)]
        while running:
            yield running.pop(0).result()
            running += [executor.submit(function, part) for part in islice(waiting, 1)]
