"""From a rough climb, on a part of the persons where there are many, to the end on all of them with fitting nodes."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._arguments import check_number, check_whole
from thetaline.irt.calibration.em import Climb, Cycle, Limits, Problem, Progress, climb
from thetaline.irt.calibration.model import Nodes, State
from thetaline.irt.calibration.quadrature import fitting_nodes

WARM_ANSWERS = 400_000  # a first climb reads at least this many answers
WARM_ANSWERS_AN_ITEM = 300
WARM_WORTH = 4  # and is worth it when all the answers are this many times as many
ROUGH = 0.02  # distance to the limit at which a first climb hands over
NODES_TOO_COARSE = 1.2  # times the wanted spacing
MOST_GRIDS = 3  # nodes and parameters settle after one or two


class PopulationShape(StrEnum):
    """What is assumed of the abilities' distribution."""

    NORMAL = "normal"
    HISTOGRAM = "empirical-histogram"

    @classmethod
    def parsed(cls, name: str) -> "PopulationShape":
        """Return the member of that name; raises InputError for another."""
        if name not in list(cls):
            raise InputError(f"unknown population {name!r}; choose one of {', '.join(cls)}")
        return cls(name)


@dataclass(frozen=True, slots=True)
class Settings:
    """How long and how closely to iterate, and the population's shape."""

    tol: float = 1e-4
    max_cycles: int = 500
    progress: Progress | None = None
    shape: PopulationShape = PopulationShape.NORMAL

    def __post_init__(self) -> None:
        """Refuse what would never end or never start."""
        check_number("tol", self.tol)
        check_whole("max_cycles", self.max_cycles)
        if not (math.isfinite(self.tol) and self.tol > 0):
            raise InputError(f"tol must be above 0, not {self.tol}")
        if self.max_cycles < 1:
            raise InputError(f"max_cycles must be at least 1, not {self.max_cycles}")

    def limits(self, past: tuple[Cycle, ...], share: float = 1.0) -> Limits:
        """Limits of a climb that goes on after `past`."""
        return Limits(self.tol, len(past) + 1, self.max_cycles, share, self.progress)


def climb_in_stages(problem: Problem, state: State, settings: Settings) -> tuple[Problem, Climb]:
    """Return the end of the climb and the problem with the nodes that it ended on."""
    if problem.nodes.fixed:
        ended = climb(problem, state, settings.limits(()))
    else:
        problem, ended = _with_fitting_nodes(problem, state, settings)
    if settings.shape is PopulationShape.HISTOGRAM:
        return _with_histogram(problem, ended, settings)
    return problem, ended


def _with_fitting_nodes(problem: Problem, state: State, settings: Settings) -> tuple[Problem, Climb]:
    share = _warm_share(problem)
    rough = replace(problem, observations=problem.observations.leading(share)) if share < 1 else problem
    roughly = replace(settings, tol=max(ROUGH, settings.tol))
    ended = climb(rough, state, roughly.limits((), share))
    for _ in range(MOST_GRIDS):
        problem = replace(problem, nodes=fitting_nodes(rough, ended.state))
        rough = replace(rough, nodes=problem.nodes)
        ended = _further(problem, ended.state, settings, ended.path)
        if fitting_nodes(rough, ended.state).step * NODES_TOO_COARSE >= problem.nodes.step:
            break
    return problem, ended


def _with_histogram(problem: Problem, ended: Climb, settings: Settings) -> tuple[Problem, Climb]:
    """Go on from the normal solution with free weights; given nodes then move with the population as all nodes do."""
    normal = problem.nodes.log_weights(ended.state)
    state = replace(ended.state, log_histogram=normal)
    if problem.nodes.fixed:
        problem = replace(problem, nodes=Nodes(problem.nodes.z))
        state = replace(state, mean=np.zeros_like(state.mean), sd=np.ones_like(state.sd))
    return problem, _further(problem, state, settings, ended.path)


def _further(problem: Problem, state: State, settings: Settings, past: tuple[Cycle, ...]) -> Climb:
    ended = climb(problem, state, settings.limits(past))
    return replace(ended, path=past + ended.path)


def _warm_share(problem: Problem) -> float:
    observations = problem.observations
    wanted = max(WARM_ANSWERS, WARM_ANSWERS_AN_ITEM * len(observations.order))
    return wanted / observations.n_answers if observations.n_answers >= WARM_WORTH * wanted else 1.0
