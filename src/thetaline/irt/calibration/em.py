"""The EM iteration: expect, maximise, accelerate, until the distance to the limit is below the tolerance."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from thetaline.errors import CalibrationError
from thetaline.irt._types import Array
from thetaline.irt.calibration.acceleration import Anderson
from thetaline.irt.calibration.e_step import Expectation, expect
from thetaline.irt.calibration.latent_m_step import expanded, freed, histogram, on_given_nodes
from thetaline.irt.calibration.log_prior import log_prior
from thetaline.irt.calibration.m_step import PartCounts, counts_by_part, improve_items
from thetaline.irt.calibration.model import Model, Nodes, State
from thetaline.irt.calibration.observations import Observations
from thetaline.irt.priors import Priors

NEWTON_STEPS = 2
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
class Problem:
    """What does not change during a climb."""

    model: Model
    observations: Observations
    priors: Priors
    nodes: Nodes
    executor: ThreadPoolExecutor | None

    @property
    def expands(self) -> bool:
        """Whether the parameter expansion leaves the maximum where it is (see `population_step`)."""
        return self.priors.flat and not self.nodes.fixed

    def tables(self, state: State) -> tuple[Array, Array]:
        """Category tables (G, sum of K, Q) and log weights (G, Q)."""
        return self.model.log_prob(state, self.nodes.theta(state)), self.nodes.log_weights(state)

    def expect(self, state: State) -> Expectation:
        """Run the E-step."""
        return expect(self.observations, *self.tables(state), self.executor)

    def maximise(self, state: State, expectation: Expectation) -> State:
        """Run the M-step."""
        theta = self.nodes.theta(state)
        items = improve_items(self.model, state, self.counted(state, expectation), steps=NEWTON_STEPS)
        follow = expanded if self.expands else on_given_nodes if self.nodes.fixed else freed
        if state.log_histogram is not None:
            follow = histogram
        after = follow(self.model, items, theta, expectation.mass)
        return self.model.stopped(self.model.bounded(after), at=state)

    def counted(self, state: State, expectation: Expectation) -> list[PartCounts]:
        """Arrange expected counts for the M-step."""
        return counts_by_part(self.model, self.nodes.theta(state), expectation.counts, self.priors)

    def objective(self, state: State, expectation: Expectation) -> float:
        """Log-likelihood plus log prior."""
        return expectation.log_likelihood + log_prior(self.model, state, self.priors)


@dataclass(frozen=True, slots=True, eq=False)
class Climb:
    """Where an iteration ended."""

    state: State
    status: Status
    path: tuple[Cycle, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How close and how long: cycles are numbered on from `first_cycle`, and `share` of the answers is read."""

    tol: float
    first_cycle: int
    max_cycles: int
    share: float = 1.0
    progress: Progress | None = None


def climb(problem: Problem, state: State, limits: Limits) -> Climb:
    """Iterate from `state`; raises CalibrationError when the likelihood is not a number."""
    ascent = _Ascent(problem, limits)
    state = problem.model.released(state)
    for number in range(limits.first_cycle, limits.max_cycles + 1):
        expectation = problem.expect(state)
        if ascent.fell(state, expectation):
            state = ascent.taken_back(number, expectation)
            continue
        mapped = problem.maximise(state, expectation)
        proposal = ascent.proposed(state, mapped)
        cycle = ascent.recorded(number, expectation, ascent.distance(state, mapped, proposal))
        if cycle.largest_change < limits.tol:
            return Climb(proposal, Status.CONVERGED, tuple(ascent.path))
        if ascent.since_best >= STALLED_AFTER:
            return Climb(mapped, Status.STALLED, tuple(ascent.path))
        state = proposal
    return Climb(state, Status.OUT_OF_CYCLES, tuple(ascent.path))


class _Ascent:
    """What an iteration remembers: the best likelihood, the way back from a bold step, the path."""

    def __init__(self, problem: Problem, limits: Limits) -> None:
        self.problem = problem
        self.limits = limits
        self.mixer = Anderson()
        self.path: list[Cycle] = []
        self.best = -np.inf
        self.since_best = 0
        self.fallback: State | None = None
        self.lengthened: list[float] = []

    def fell(self, state: State, expectation: Expectation) -> bool:
        """Whether an accelerated step lowered the likelihood; if not, remember how high it is."""
        objective = self.problem.objective(state, expectation)
        slack = self._slack()
        if self.fallback is not None and not objective >= self.best - slack:
            return True
        if not np.isfinite(objective):
            cycle = self.limits.first_cycle + len(self.path)
            raise CalibrationError(f"the log-likelihood is {objective} in cycle {cycle}; check the anchors' parameters")
        self.since_best = 0 if objective > self.best + slack else self.since_best + 1
        self.best = max(self.best, objective)
        return False

    def taken_back(self, number: int, expectation: Expectation) -> State:
        """Return to the plain EM step."""
        assert self.fallback is not None  # noqa: S101  (only `fell` leads here)
        state, self.fallback = self.fallback, None
        self.mixer.forget()
        self.path.append(Cycle(number, expectation.log_likelihood, np.nan, self.limits.share))
        return state

    def proposed(self, state: State, mapped: State) -> State:
        """Return the accelerated point, or the plain EM step where that is no model or absurdly far."""
        model = self.problem.model
        point, image = model.flatten(state), model.flatten(mapped)
        proposal = model.bounded(model.restore(self.mixer.propose(point, image), mapped))
        leap = _distance(model, state, proposal) > LONGEST_LEAP * _distance(model, state, mapped)
        if leap or not model.valid(proposal) or log_prior(model, proposal, self.problem.priors) == -np.inf:
            self.mixer.forget()
            proposal = mapped
        self.fallback = None if proposal is mapped else mapped
        return proposal

    def distance(self, state: State, mapped: State, proposal: State) -> float:
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
        cycle = Cycle(number, expectation.log_likelihood, distance, self.limits.share)
        self.path.append(cycle)
        if self.limits.progress is not None:
            self.limits.progress(cycle)
        return cycle

    def _slack(self) -> float:
        """Rounding of a log-likelihood that was summed from terms of the E-step's precision."""
        eps = float(np.finfo(self.problem.observations.dtype).eps)
        return eps * abs(self.best) if np.isfinite(self.best) else 0.0


def _distance(model: Model, start: State, end: State) -> float:
    return float(np.abs(model.measured(end) - model.measured(start)).max())
