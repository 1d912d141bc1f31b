"""From a rough EM, on a part of the persons where there are many, to the end on all of them with adapted nodes."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._arguments import check_number, check_whole
from thetaline.irt.calibration.acceleration import Anderson
from thetaline.irt.calibration.em import Cycle, EmResult, Progress, StoppingRule, em
from thetaline.irt.calibration.model import EmState
from thetaline.irt.calibration.problem import Problem
from thetaline.irt.calibration.quadrature import Nodes

WARM_ANSWERS = 400_000  # a warm start reads at least this many answers
WARM_ANSWERS_AN_ITEM = 300
WARM_WORTH = 4  # and is worth it when all the answers are this many times as many
WARM_TOL = 0.02  # distance to the limit at which it hands over
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
class EmOptions:
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

    def stopping_rule(self, past: tuple[Cycle, ...], share: float = 1.0) -> StoppingRule:
        """Return the rule of an EM that goes on after the cycles `past`."""
        return StoppingRule(self.tol, len(past) + 1, self.max_cycles, share, self.progress)


def em_with_warm_start(problem: Problem, state: EmState, options: EmOptions) -> tuple[Problem, EmResult]:
    """Return the end of the EM and the problem with the nodes that it ended on."""
    if problem.nodes.fixed:
        result = em(problem, state, options.stopping_rule(()))
    else:
        problem, result = _with_adapted_nodes(problem, state, options)
    if options.shape is PopulationShape.HISTOGRAM:
        return _with_histogram(problem, result, options)
    return problem, result


def _with_adapted_nodes(problem: Problem, state: EmState, options: EmOptions) -> tuple[Problem, EmResult]:
    share = _warm_share(problem)
    warm = replace(problem, data=problem.data.leading(share)) if share < 1 else problem
    rough = replace(options, tol=max(WARM_TOL, options.tol))
    result = em(warm, state, rough.stopping_rule((), share))
    if share < 1:
        result = replace(result, acceleration=Anderson())  # on all answers the map is another one
    for _ in range(MOST_GRIDS):
        problem = replace(problem, nodes=warm.adapted_nodes(result.state))
        warm = replace(warm, nodes=problem.nodes)
        result = _continued(problem, result, options)
        if warm.adapted_nodes(result.state).step * NODES_TOO_COARSE >= problem.nodes.step:
            break
    return problem, result


def _with_histogram(problem: Problem, result: EmResult, options: EmOptions) -> tuple[Problem, EmResult]:
    """Go on from the normal solution with free weights; given nodes then move with the population as all nodes do."""
    normal = problem.nodes.log_weights(result.state)
    state = replace(result.state, log_histogram=normal)
    if problem.nodes.fixed:
        problem = replace(problem, nodes=Nodes(problem.nodes.z))
        state = replace(state, mean=np.zeros_like(state.mean), sd=np.ones_like(state.sd))
    return problem, _continued(problem, replace(result, state=state), options)


def _continued(problem: Problem, past: EmResult, options: EmOptions) -> EmResult:
    result = em(problem, past.state, options.stopping_rule(past.path), past.acceleration.carried_over())
    return replace(result, path=past.path + result.path)


def _warm_share(problem: Problem) -> float:
    """Share of the answers that a warm start reads, 1 where it is not worth it."""
    data = problem.data
    wanted = max(WARM_ANSWERS, WARM_ANSWERS_AN_ITEM * len(data.order))
    return wanted / data.n_answers if data.n_answers >= WARM_WORTH * wanted else 1.0
