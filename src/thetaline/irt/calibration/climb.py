"""The EM iteration: expect, maximise, accelerate, until the distance to the limit is below the tolerance."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import CalibrationError
from thetaline.irt.calibration.anderson import Anderson
from thetaline.irt.calibration.expectation import Expectation, expect
from thetaline.irt.calibration.maximisation import improve_items
from thetaline.irt.calibration.model import Model, Nodes, State
from thetaline.irt.calibration.observations import Observations
from thetaline.irt.calibration.penalty import log_prior
from thetaline.irt.calibration.population_step import expanded, freed, histogram
from thetaline.irt.priors import Priors

Array = NDArray[np.float64]


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
        items = improve_items(self.model, state, theta, expectation.counts, self.priors, steps=NEWTON_STEPS)
        follow = expanded if self.expands else freed
        if state.log_histogram is not None:
            follow = histogram
        after = follow(self.model, items, theta, expectation.mass)
        return self.model.stopped(self.model.bounded(after), at=state)

    def objective(self, state: State, expectation: Expectation) -> float:
        """Log-likelihood plus log prior."""
        return expectation.log_likelihood + log_prior(self.model, state, self.priors)


NEWTON_STEPS = 2
LONGEST_LEAP = 50.0  # of an accelerated step, in plain ones: farther, the past says nothing
STALLED_AFTER = 30  # cycles without a higher likelihood


@dataclass(frozen=True, slots=True, eq=False)
class Climb:
    """Where an iteration ended."""

    state: State
    status: Status
    path: tuple[Cycle, ...]


def climb(
    problem: Problem,
    state: State,
    *,
    tol: float,
    first_cycle: int,
    max_cycles: int,
    share: float = 1.0,
    progress: Progress | None = None,
) -> Climb:
    """Iterate from `state`; raises CalibrationError when the likelihood is not a number."""
    model, mixer, path = problem.model, Anderson(), list[Cycle]()
    state = model.released(state)
    best, fallback, since_best = -np.inf, None, 0
    for number in range(first_cycle, max_cycles + 1):
        expectation = problem.expect(state)
        objective = problem.objective(state, expectation)
        if fallback is not None and not objective >= best - _slack(best, problem.observations.dtype):
            state, fallback = fallback, None
            mixer.forget()
            path.append(Cycle(number, expectation.log_likelihood, np.nan, share))
            continue
        _check(objective, number)
        since_best = 0 if objective > best + _slack(best, problem.observations.dtype) else since_best + 1
        best = max(best, objective)
        mapped = problem.maximise(state, expectation)
        proposal = _proposal(model, mixer, state, mapped)
        step = _distance(model, state, mapped)
        distance = _distance(model, state, proposal)
        if distance > LONGEST_LEAP * step:
            mixer.forget()
            proposal = mapped
        distance = max(step, _distance(model, state, proposal))
        path.append(Cycle(number, expectation.log_likelihood, distance, share))
        if progress is not None:
            progress(path[-1])
        if distance < tol:
            return Climb(proposal, Status.CONVERGED, tuple(path))
        if since_best >= STALLED_AFTER:
            return Climb(mapped, Status.STALLED, tuple(path))
        state, fallback = proposal, None if proposal is mapped else mapped
    return Climb(state, Status.OUT_OF_CYCLES, tuple(path))


def _proposal(model: Model, mixer: Anderson, state: State, mapped: State) -> State:
    point, image = model.flatten(state), model.flatten(mapped)
    proposal = model.bounded(model.restore(mixer.propose(point, image, np.ones_like(point)), mapped))
    if model.valid(proposal):
        return proposal
    mixer.forget()
    return mapped


def _distance(model: Model, start: State, end: State) -> float:
    return float(np.abs(model.measured(end) - model.measured(start)).max())


def _slack(objective: float, dtype: np.dtype[Any]) -> float:
    """Rounding of a log-likelihood that was summed from terms of this precision."""
    return float(np.finfo(dtype).eps) * abs(objective) if np.isfinite(objective) else 0.0


def _check(objective: float, number: int) -> None:
    if not np.isfinite(objective):
        raise CalibrationError(f"the log-likelihood is {objective} in cycle {number}; check parameters of the anchors")
