"""The EM iteration: E-step, M-step, acceleration, until the distance to the limit is below the tolerance."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from thetaline.errors import CalibrationError
from thetaline.irt.calibration.acceleration import Anderson
from thetaline.irt.calibration.e_step import Expectation
from thetaline.irt.calibration.log_prior import log_prior
from thetaline.irt.calibration.model import EmState, Model
from thetaline.irt.calibration.problem import Problem

LONGEST_LEAP = 50.0  # of an accelerated step, in plain ones: farther, the past says nothing
REMEMBERED = 8  # cycles whose lengthening counts
MARGIN = 2.0  # with it 97 of 100 fits are nearer to their limit than `tol`, the others within twice (decision 0101)
STALLED_AFTER = 30  # cycles without a higher likelihood


class Status(StrEnum):
    """How a calibration ended, with the advice in `advice`."""

    CONVERGED = "converged"
    STALLED = "stalled"
    OUT_OF_CYCLES = "out of cycles"

    @property
    def advice(self) -> str:
        """What to do about it."""
        return {
            "converged": "",
            "stalled": "the likelihood has no maximum that the steps can reach: see notes, add priors or drop items",
            "out of cycles": "raise max_cycles, or add priors when slopes keep growing: see notes",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Cycle:
    """One E-step and M-step: where it stood, how far the limit seemed; `share` of the answers that it read."""

    cycle: int
    log_likelihood: float
    largest_change: float
    share: float = 1.0


Progress = Callable[[Cycle], object]


@dataclass(frozen=True, slots=True, eq=False)
class EmResult:
    """Where the EM ended, and how."""

    state: EmState
    status: Status
    path: tuple[Cycle, ...]


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """How close and how long: cycles are numbered on from `first_cycle`, and `share` of the answers is read."""

    tol: float
    first_cycle: int
    max_cycles: int
    share: float = 1.0
    progress: Progress | None = None


def em(problem: Problem, state: EmState, rule: StoppingRule) -> EmResult:
    """Iterate from `state`; raises CalibrationError when the likelihood is not a number."""
    iteration = _Iteration(problem, rule)
    state = problem.model.unfreeze(state)
    for number in range(rule.first_cycle, rule.max_cycles + 1):
        expectation = problem.e_step(state)
        if iteration.decreased(state, expectation):
            state = iteration.fall_back(number, expectation)
            continue
        mapped = problem.m_step(state, expectation)
        proposal = iteration.proposed(state, mapped)
        cycle = iteration.recorded(number, expectation, iteration.distance(state, mapped, proposal))
        if cycle.largest_change < rule.tol:
            return EmResult(proposal, Status.CONVERGED, tuple(iteration.path))
        if iteration.since_best >= STALLED_AFTER:
            return EmResult(mapped, Status.STALLED, tuple(iteration.path))
        state = proposal
    return EmResult(state, Status.OUT_OF_CYCLES, tuple(iteration.path))


class _Iteration:
    """What an iteration remembers: the best likelihood, the way back from a bold step, the path."""

    def __init__(self, problem: Problem, rule: StoppingRule) -> None:
        self.problem = problem
        self.rule = rule
        self.acceleration = Anderson()
        self.path: list[Cycle] = []
        self.best = -np.inf
        self.since_best = 0
        self.fallback: EmState | None = None
        self.lengthened: list[float] = []

    def decreased(self, state: EmState, expectation: Expectation) -> bool:
        """Whether an accelerated step lowered the likelihood; if not, remember how high it is."""
        objective = self.problem.objective(state, expectation)
        slack = self._slack()
        if self.fallback is not None and not objective >= self.best - slack:
            return True
        if not np.isfinite(objective):
            cycle = self.rule.first_cycle + len(self.path)
            raise CalibrationError(f"the log-likelihood is {objective} in cycle {cycle}; check the anchors' parameters")
        self.since_best = 0 if objective > self.best + slack else self.since_best + 1
        self.best = max(self.best, objective)
        return False

    def fall_back(self, number: int, expectation: Expectation) -> EmState:
        """Return to the plain EM step."""
        assert self.fallback is not None  # noqa: S101  (only `decreased` leads here)
        state, self.fallback = self.fallback, None
        self.acceleration.forget()
        self.path.append(Cycle(number, expectation.log_likelihood, np.nan, self.rule.share))
        return state

    def proposed(self, state: EmState, mapped: EmState) -> EmState:
        """Return the accelerated point, or the plain EM step where that is no model or absurdly far."""
        model = self.problem.model
        point, image = model.flatten(state), model.flatten(mapped)
        proposal = model.bounded(model.restore(self.acceleration.propose(point, image), mapped))
        leap = _distance(model, state, proposal) > LONGEST_LEAP * _distance(model, state, mapped)
        if leap or not model.valid(proposal) or log_prior(model, proposal, self.problem.priors) == -np.inf:
            self.acceleration.forget()
            proposal = mapped
        self.fallback = None if proposal is mapped else mapped
        return proposal

    def distance(self, state: EmState, mapped: EmState, proposal: EmState) -> float:
        """How far the limit seems: the accelerated step, or the plain one lengthened as much as lately, with a margin.

        A plain step of an EM that converges at rate r is 1 - r of the way; how much longer accelerated steps are shows
        1 / (1 - r).
        """
        model = self.problem.model
        step, leap = _distance(model, state, mapped), _distance(model, state, proposal)
        self.lengthened.append(leap / step if step > 0 else 1.0)
        factor = min(LONGEST_LEAP, max(1.0, *self.lengthened[-REMEMBERED:]))
        return MARGIN * max(leap, factor * step)

    def recorded(self, number: int, expectation: Expectation, distance: float) -> Cycle:
        """Add a cycle to the path and tell whoever wants to hear of it."""
        cycle = Cycle(number, expectation.log_likelihood, distance, self.rule.share)
        self.path.append(cycle)
        if self.rule.progress is not None:
            self.rule.progress(cycle)
        return cycle

    def _slack(self) -> float:
        """Rounding of a log-likelihood that was summed from terms of the E-step's precision."""
        eps = float(np.finfo(self.problem.data.dtype).eps)
        return eps * abs(self.best) if np.isfinite(self.best) else 0.0


def _distance(model: Model, start: EmState, end: EmState) -> float:
    return float(np.abs(model.convergence_vector(end) - model.convergence_vector(start)).max())
