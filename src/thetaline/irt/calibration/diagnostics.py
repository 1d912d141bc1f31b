"""After the last cycle: items that ran to a bound or run backwards, and populations that collapsed or ran off."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from thetaline.irt._scipy import special
from thetaline.irt._types import Array, Mask
from thetaline.irt.calibration.findings import Finding, Note
from thetaline.irt.calibration.m_step import BlockCounts, counts_by_block, separate_step
from thetaline.irt.calibration.model import ASYMPTOTE_BOUND, SLOPE_BOUND, EmState, ItemBlock
from thetaline.irt.calibration.problem import Problem
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.priors import Priors
from thetaline.irt.threads import single_threaded_blas, workers

STILL_MOVING = 0.5  # of the step of the item that moves farthest
UNPENALISED_STEPS = 10  # Newton steps from the penalised to the unpenalised estimate of one item
FREE_CYCLES = 6  # EM cycles in which every item has a slope of its own
LOW_SLOPE = 0.3  # of the median slope: a reversed item among sound ones lies below it from the first cycle on
REVERSED_Z = -1.645  # a slope hidden by its prior counts as negative at this one-sided 5 % level
SHARE_BEYOND = 0.01  # of a population outside the given nodes: from here its moments are not those of what is left
ENDS = 2.0  # standard deviations to either side of the mean
FLAT_SLOPE, FLAT_RISE = 0.25, 0.1  # slope in standard deviations of theta; rise as a share of the score
ONE_SLOPE = 2.71  # one-sided 5 % of chi-square with one degree of freedom
NO_SPREAD = 0.05  # logits: of 20 items none tells persons this alike apart
OUT_OF_REACH = 6.0  # logits between the mean and the middle of the items: 1 answer of 400 is not what all expect


@dataclass(slots=True, eq=False)
class Diagnosis:
    """What is to be said of a calibration's items and populations; it takes passes over the answers, so when asked."""

    solution: Solution
    converged: bool
    log_likelihood: float
    of_data: tuple[Note, ...]  # of the answers, before the calibration
    threads: int | None
    _notes: tuple[Note, ...] | None = None

    def has_runaway(self) -> bool:
        """Whether a slope has gone to its bound."""
        return any(mask.any() for mask in _runaway(self.solution.state))

    def notes(self) -> tuple[Note, ...]:
        """Look at every estimated item and every population, and where the EM has not converged at what still moves."""
        if self._notes is None:
            problem = self.solution.problem
            with workers(self.threads, problem.data.n_answers) as executor, single_threaded_blas():
                threaded = replace(self.solution, problem=replace(problem, executor=executor))
                self._notes = (*self.of_data, *self._found(threaded))
        return self._notes

    def _found(self, solution: Solution) -> Iterator[Note]:
        yield from _item_notes(solution, converged=self.converged)
        yield from _population_notes(solution)
        if not _has_common_ability(solution, self.log_likelihood):
            labels = np.empty(len(solution.spec.labels), dtype=object)
            labels[:] = solution.spec.labels
            yield Note(Finding.NO_COMMON_ABILITY, labels)


def _runaway(state: EmState) -> list[Mask]:
    return [np.abs(free[:, 0]) >= SLOPE_BOUND for free in state.free]


def _has_common_ability(solution: Solution, log_likelihood: float) -> bool:
    """Whether the fit explains the answers better than items that share none, each with its own proportions.

    Twice the gain is held against the 5 % of the one slope that has to differ from 0.  Groups with means of their own
    explain answers in another way, and anchors that are held may fit badly for other reasons: neither is asked.
    """
    if len(solution.spec.labels) > 1 or solution.problem.model.anchors:
        return True
    counts = solution.problem.data.category_counts()
    offsets = solution.problem.data.offsets
    totals = np.repeat(np.add.reduceat(counts, offsets[:-1]), np.diff(offsets))
    with np.errstate(divide="ignore", invalid="ignore"):
        independent = float(np.where(counts > 0, counts * np.log(counts / totals), 0.0).sum())
    return 2.0 * (log_likelihood - independent) > ONE_SLOPE


def _item_notes(solution: Solution, *, converged: bool) -> Iterator[Note]:
    order = solution.problem.data.order
    if not solution.problem.model.item_blocks:  # all items are given
        return
    for finding, masks in _item_findings(solution, converged=converged).items():
        pairs = zip(solution.problem.model.item_blocks, masks, strict=True)
        at = np.sort(np.concatenate([order[block.index[mask]] for block, mask in pairs]))
        if at.size:
            yield Note(finding, solution.item_ids[at])


def _item_findings(solution: Solution, *, converged: bool) -> dict[Finding, list[Mask]]:
    """Which items of every block a finding is about."""
    problem, state = solution.problem, solution.state
    own = list(zip(problem.model.item_blocks, state.free, strict=True))
    masks = {
        Finding.REVERSED: [free[:, 0] < 0 for free in state.free],
        Finding.RUNAWAY: _runaway(state),
        Finding.ASYMPTOTE: [_at_asymptote_bound(block, free) for block, free in own],
        Finding.FLAT: [_is_flat(block, free, state) for block, free in own],
    }
    if not converged:
        masks[Finding.UNSETTLED] = _still_moving(problem, state)
    if _too_many_parameters(solution):
        masks[Finding.UNIDENTIFIED] = [np.ones(len(free), dtype=bool) for free in state.free]
    if problem.priors.a is not None or any(block.family.tied for block in problem.model.item_blocks):
        hidden = _reversed_by_the_answers(problem, state)
        masks[Finding.REVERSED] = [seen | more for seen, more in zip(masks[Finding.REVERSED], hidden, strict=True)]
    return masks


def _at_asymptote_bound(block: ItemBlock, free: Array) -> Mask:
    return np.asarray((np.abs(free[:, block.first_asymptote :]) >= ASYMPTOTE_BOUND).any(axis=1))


def _is_flat(block: ItemBlock, free: Array, state: EmState) -> Mask:
    """Whether a low slope lets the expected score differ by little from one end of the population to the other."""
    ends = np.array([(state.mean - ENDS * state.sd).min(), (state.mean + ENDS * state.sd).max()])
    score = np.exp(block.family.log_prob(free, ends)).transpose(0, 2, 1) @ np.arange(block.n_categories)
    rise = np.abs(score[:, 1] - score[:, 0]) / (block.n_categories - 1)
    return np.asarray((np.abs(free[:, 0]) * state.sd.max() < FLAT_SLOPE) & (rise < FLAT_RISE))


def _still_moving(problem: Problem, state: EmState) -> list[Mask]:
    """Items that one more cycle would move at least half as far as the one that it moves farthest."""
    after = problem.m_step(state, problem.e_step(state))
    steps = [np.abs(new - old).max(axis=1) for new, old in zip(after.free, state.free, strict=True)]
    farthest = max(float(step.max()) for step in steps)
    return [(step >= STILL_MOVING * farthest) & (step > 0) for step in steps]


def _too_many_parameters(solution: Solution) -> bool:
    """Whether the distribution of the patterns has fewer degrees of freedom than the model, all groups together."""
    problem = solution.problem
    if not problem.priors.flat:
        return False
    patterns = float(np.sum(np.log(problem.data.n_categories)))
    freedom = np.expm1(min(patterns, 50.0)) * problem.data.n_groups
    return bool(problem.model.n_parameters(replace(solution.state, log_histogram=None)) > freedom + 0.5)


def _reversed_by_the_answers(problem: Problem, state: EmState) -> list[Mask]:
    """Items whose own slope, without prior or tie, is below 0 by more than chance.

    The posteriors have met the item with the slope that it was given, which holds its own slope up; where some slope
    falls far below the others a few EM cycles with slopes of their own take that away.
    """
    for cycle in range(FREE_CYCLES):
        counts = _without_priors_and_ties(problem, state)
        free = tuple(_own_slopes(one, values) for one, values in zip(counts, state.free, strict=True))
        state = replace(state, free=free)
        slopes = np.concatenate([values[:, 0] for values in free])
        if cycle == 0 and (slopes >= LOW_SLOPE * np.median(slopes)).all():
            break
    out = []
    for one, values in zip(counts, free, strict=True):
        variance = np.linalg.inv(one.terms(values).information)[:, 0, 0]
        out.append(values[:, 0] < REVERSED_Z * np.sqrt(np.maximum(variance, 0.0)))
    return out


def _without_priors_and_ties(problem: Problem, state: EmState) -> list[BlockCounts]:
    expectation, theta = problem.e_step(state), problem.nodes.theta(state)
    counts = counts_by_block(problem.model, theta, expectation.counts, Priors())
    return [replace(one, block=replace(one.block, slope_free=True)) for one in counts]


def _own_slopes(counts: BlockCounts, free: Array) -> Array:
    for _ in range(UNPENALISED_STEPS):
        free = separate_step(counts, free)
        free[:, 0] = np.clip(free[:, 0], -SLOPE_BOUND, SLOPE_BOUND)
        asymptotes = slice(counts.block.first_asymptote, None)
        free[:, asymptotes] = np.clip(free[:, asymptotes], -ASYMPTOTE_BOUND, ASYMPTOTE_BOUND)
    return free


def _population_notes(solution: Solution) -> Iterator[Note]:
    """Note groups by label; a histogram stays on its nodes and is not looked at."""
    state, nodes = solution.state, solution.problem.nodes
    if state.log_histogram is not None:
        return
    slope, middle = _typical_item(solution)
    found = {
        Finding.NO_SPREAD: state.sd * slope < NO_SPREAD,
        Finding.OUT_OF_REACH: np.abs(slope * state.mean + middle) > OUT_OF_REACH,
    }
    if nodes.fixed:
        inside = special.ndtr((nodes.z[-1] - state.mean) / state.sd) - special.ndtr(
            (nodes.z[0] - state.mean) / state.sd
        )
        found[Finding.BEYOND_NODES] = inside < 1.0 - SHARE_BEYOND
    labels = np.empty(len(state.mean), dtype=object)
    labels[:] = solution.spec.labels
    for finding, mask in found.items():
        if mask.any():
            yield Note(finding, labels[mask])


def _typical_item(solution: Solution) -> tuple[float, float]:
    """Medians of the slopes, their signs left out, and of the items' mean intercepts."""
    slopes, intercepts = [], []
    for block, free in solution.problem.model.with_values(solution.state):
        slopes.append(np.abs(free[:, 0]))
        intercepts.append(free[:, 1 : block.n_categories].mean(axis=1))
    return float(np.median(np.concatenate(slopes))), float(np.median(np.concatenate(intercepts)))
