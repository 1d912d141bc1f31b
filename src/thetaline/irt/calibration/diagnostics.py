"""After the last cycle: items that ran to a bound or backwards, and populations that ran off."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from thetaline.irt._types import Array, Mask
from thetaline.irt.calibration.em import Problem
from thetaline.irt.calibration.m_step import counts_by_part, improve_items
from thetaline.irt.calibration.model import ASYMPTOTE_BOUND, SLOPE_BOUND, Part, State
from thetaline.irt.calibration.notes import Finding, Note
from thetaline.irt.calibration.runaway_populations import population_notes
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.priors import Priors

MOVING = 0.5
ALONE_STEPS = 10  # Newton steps from the penalised to the unpenalised estimate of one item
BACKWARDS_Z = -1.645  # a slope hidden by its prior counts as negative at this one-sided 5 % level


@dataclass(frozen=True, slots=True)
class Hindsight:
    """Notes on the solution."""

    notes: tuple[Note, ...]

    @property
    def runaway(self) -> bool:
        """Whether some item has no finite estimate."""
        return any(note.finding is Finding.RUNAWAY for note in self.notes)


def found_in(solution: Solution, *, settled: bool) -> Hindsight:
    """Look at every estimated item, and where the climb has not `settled` at which of them still move."""
    model, state = solution.problem.model, solution.state
    masks = {
        Finding.REVERSED: [free[:, 0] < 0 for free in state.free],
        Finding.RUNAWAY: [np.abs(free[:, 0]) >= SLOPE_BOUND for free in state.free],
        Finding.ASYMPTOTE: [_at_bound(part, free) for part, free in zip(model.parts, state.free, strict=True)],
    }
    if not settled:
        masks[Finding.UNSETTLED] = _moving(solution.problem, state)
    if _too_many_parameters(solution):
        masks[Finding.UNIDENTIFIED] = [np.ones(len(free), dtype=bool) for free in state.free]
    if solution.problem.priors.a is not None:
        hidden = _reversed_without_prior(solution.problem, state)
        masks[Finding.REVERSED] = [seen | more for seen, more in zip(masks[Finding.REVERSED], hidden, strict=True)]
    return Hindsight((*_notes(solution, masks), *population_notes(solution)))


def _notes(solution: Solution, masks: dict[Finding, list[Mask]]) -> Iterator[Note]:
    order = solution.problem.observations.order
    for finding, by_part in masks.items():
        parts = zip(solution.problem.model.parts, by_part, strict=True)
        at = np.sort(np.concatenate([order[part.index[mask]] for part, mask in parts]))
        if at.size:
            yield Note(finding, solution.item_ids[at])


def _at_bound(part: Part, free: Array) -> Mask:
    asymptotes = part.family.has_c + part.family.has_d
    at = np.abs(free[:, part.n_free - asymptotes :]) >= ASYMPTOTE_BOUND
    return np.asarray(at.any(axis=1))


def _moving(problem: Problem, state: State) -> list[Mask]:
    """Items that one more cycle would move at least half as far as the one that it moves farthest."""
    after = problem.maximise(state, problem.expect(state))
    steps = [np.abs(new - old).max(axis=1) for new, old in zip(after.free, state.free, strict=True)]
    farthest = max(float(step.max()) for step in steps)
    return [(step >= MOVING * farthest) & (step > 0) for step in steps]


def _too_many_parameters(solution: Solution) -> bool:
    """Whether the distribution of the patterns has fewer degrees of freedom than the model, all groups together."""
    problem = solution.problem
    if not problem.priors.flat:
        return False
    patterns = float(np.sum(np.log(problem.observations.n_categories)))
    freedom = np.expm1(min(patterns, 50.0)) * problem.observations.n_groups
    return bool(problem.model.n_parameters(replace(solution.state, log_histogram=None)) > freedom + 0.5)


def _reversed_without_prior(problem: Problem, state: State) -> list[Mask]:
    """Items whose slope, maximised without priors on the final expected counts, is below 0 by more than chance."""
    expectation, theta = problem.expect(state), problem.nodes.theta(state)
    model = problem.model
    counts = counts_by_part(model, theta, expectation.counts, Priors())
    alone = model.bounded(improve_items(model, state, counts, steps=ALONE_STEPS))
    out = []
    for expected, free in zip(counts, alone.free, strict=True):
        if expected.part.family.tied:
            out.append(np.zeros(len(free), dtype=bool))
            continue
        information = expected.terms(free).information
        variance = np.linalg.inv(information)[:, 0, 0]
        out.append(free[:, 0] < BACKWARDS_Z * np.sqrt(np.maximum(variance, 0.0)))
    return out
