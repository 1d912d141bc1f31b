"""The EM iteration: E-step, M-step, acceleration, until the distance to the limit is below the tolerance."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from thetaline.errors import CalibrationError
from thetaline.irt.calibration.acceleration import Anderson
from thetaline.irt.calibration.e_step import Expectation
from thetaline.irt.calibration.log_prior import log_prior
from thetaline.irt.calibration.model import EmState
from thetaline.irt.calibration.problem import Problem

STALLED_AFTER = 30  # cycles without a higher likelihood
ROUNDING = 4.0  # of a log-likelihood, in units of its last place


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
    """Where the EM ended, and how; `acceleration` knows its matrix."""

    state: EmState
    status: Status
    path: tuple[Cycle, ...]
    acceleration: Anderson


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """How close and how long: cycles are numbered on from `first_cycle`, and `share` of the answers is read."""

    tol: float
    first_cycle: int
    max_cycles: int
    share: float = 1.0
    progress: Progress | None = None


def em(problem: Problem, state: EmState, rule: StoppingRule, acceleration: Anderson | None = None) -> EmResult:
    """Iterate from `state`, on from what an earlier `acceleration` knows of the map.

    Raises CalibrationError when the likelihood is not a number.
    """
    iteration = _Iteration(problem, rule, acceleration or Anderson())
    state = problem.model.unfreeze(state)
    for number in range(rule.first_cycle, rule.max_cycles + 1):
        expectation = problem.e_step(state)
        if iteration.decreased(state, expectation):
            state = iteration.fall_back(number, expectation)
            continue
        mapped = problem.m_step(state, expectation)
        proposal = iteration.proposed(state, mapped)
        cycle = iteration.recorded(number, expectation, iteration.distance(state, mapped))
        if cycle.largest_change < rule.tol:
            return iteration.ended(proposal, Status.CONVERGED)
        if iteration.since_best >= STALLED_AFTER:
            return iteration.ended(mapped, Status.STALLED)
        state = proposal
    return iteration.ended(state, Status.OUT_OF_CYCLES)


class _Iteration:
    """What an iteration remembers: the best likelihood, the way back from a bold step, the path."""

    def __init__(self, problem: Problem, rule: StoppingRule, acceleration: Anderson) -> None:
        self.problem = problem
        self.rule = rule
        self.acceleration = acceleration
        self.path: list[Cycle] = []
        self.best = -np.inf
        self.since_best = 0
        self.fallback: EmState | None = None

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
        """Return to the plain EM step; where the accelerated point before fell as well, the past misleads."""
        assert self.fallback is not None  # noqa: S101  (only `decreased` leads here)
        state, self.fallback = self.fallback, None
        if len(self.path) > 1 and np.isnan(self.path[-2].largest_change):
            self.acceleration.forget()
        self.path.append(Cycle(number, expectation.log_likelihood, np.nan, self.rule.share))
        return state

    def proposed(self, state: EmState, mapped: EmState) -> EmState:
        """Return the accelerated point, or the plain EM step where that is no model."""
        model = self.problem.model
        points = np.stack([model.flatten(state), model.flatten(mapped)])
        values = np.stack([model.convergence_vector(state), model.convergence_vector(mapped)])[:, : points.shape[1]]
        proposal = model.bounded(model.restore(self.acceleration.propose(points, values), mapped))
        possible = model.valid(proposal) and log_prior(model, proposal, self.problem.priors) > -np.inf
        self.fallback = mapped if possible else None
        return proposal if possible else mapped

    def distance(self, state: EmState, mapped: EmState) -> float:
        """How far `state` seems from the limit: its plain step, 1 - r of the way where the EM converges at rate r.

        The slowest direction that the acceleration knows counts.  The point that follows is an accelerated step nearer.
        """
        model = self.problem.model
        step = np.abs(model.convergence_vector(mapped) - model.convergence_vector(state)).max()
        return self.acceleration.slowness * float(step)

    def recorded(self, number: int, expectation: Expectation, distance: float) -> Cycle:
        """Add a cycle to the path and tell whoever wants to hear of it."""
        cycle = Cycle(number, expectation.log_likelihood, distance, self.rule.share)
        self.path.append(cycle)
        if self.rule.progress is not None:
            self.rule.progress(cycle)
        return cycle

    def ended(self, state: EmState, status: Status) -> EmResult:
        """Return the result."""
        return EmResult(state, status, tuple(self.path), self.acceleration)

    def _slack(self) -> float:
        """Rounding of a log-likelihood that was summed from terms of the E-step's precision."""
        eps = float(np.finfo(self.problem.data.dtype).eps)
        return ROUNDING * eps * abs(self.best) if np.isfinite(self.best) else 0.0
