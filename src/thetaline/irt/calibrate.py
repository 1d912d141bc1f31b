"""Calibration: item parameters and ability distributions from responses, by marginal maximum likelihood or MAP."""

import math
import warnings
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thetaline.errors import InputError, ModelWarning
from thetaline.irt.calibration.build import build_model, published_items, starting_state, theta_scale
from thetaline.irt.calibration.canonical import category_counts
from thetaline.irt.calibration.climb import Climb, Cycle, Problem, Progress, Status, climb
from thetaline.irt.calibration.expectation import log_likelihood, single_threaded_blas, workers
from thetaline.irt.calibration.fit import Fit, Solution
from thetaline.irt.calibration.hindsight import found_in
from thetaline.irt.calibration.model import Nodes, State
from thetaline.irt.calibration.observations import observe
from thetaline.irt.calibration.plan import ModelChoice, Plan, planned
from thetaline.irt.calibration.population_step import moments
from thetaline.irt.calibration.quadrature import first_nodes, fitting_nodes
from thetaline.irt.calibration.screening import screened
from thetaline.irt.families import FAMILIES
from thetaline.irt.grid import Grid
from thetaline.irt.items import Items
from thetaline.irt.population import Population
from thetaline.irt.priors import Priors
from thetaline.irt.responses import Responses

MIN_ANSWERS = 10
WARM_ANSWERS = 400_000  # a first climb reads at least this many answers
WARM_ANSWERS_AN_ITEM = 300
WARM_WORTH = 4  # and is worth it when all the answers are this many times as many
ROUGH = 0.02  # distance to the limit at which a first climb hands over
NODES_TOO_COARSE = 1.2  # times the wanted spacing


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
    """How long and how closely to iterate."""

    tol: float = 1e-4
    max_cycles: int = 500
    progress: Progress | None = None

    def __post_init__(self) -> None:
        """Refuse what would never end or never start."""
        if not (math.isfinite(self.tol) and self.tol > 0):
            raise InputError(f"tol must be above 0, not {self.tol}")
        if self.max_cycles < 1:
            raise InputError(f"max_cycles must be at least 1, not {self.max_cycles}")


def calibrate(
    responses: Responses,
    *,
    model: ModelChoice = "2PL",
    anchors: Items | None = None,
    groups: ArrayLike | None = None,
    priors: Priors | None = None,
    grid: Grid | None = None,
    tol: float = 1e-4,
    max_cycles: int = 500,
    progress: Progress | None = None,
    population: str = "normal",
    min_answers: int = MIN_ANSWERS,
    threads: int | None = None,
) -> Fit:
    """Estimate items and population from responses (Bock & Aitkin, 1981).

    Parameters
    ----------
    model: a family's name, or {item id: name}.
    anchors: items held fixed; mean and sd of every group are then free (Kim, 2006).
    groups: a label a person; the first label in sorted order is N(0, 1), the others are free.
    priors: None is maximum likelihood; else the posterior mode.
    grid: None follows population and data; a given grid stays as it is.
    tol: largest distance of a parameter (slope, intercept, asymptote as a probability) to its limit.
    population: "normal", or "empirical-histogram": weights estimated at the nodes, mean 0 and sd 1 in the first group.
    min_answers: items with fewer are named, and refused where no prior holds them.
    threads: None takes the processors at hand; the result is the same for every number.

    Raises ResponsesError or ItemsError naming the items that cannot be estimated, InputError for other arguments,
    CalibrationError when a likelihood is not a number.  Warns (ModelWarning) for 3PL and 4PL without priors.

    """
    settings = Settings(tol, max_cycles, progress)
    shape = PopulationShape.parsed(population)
    chosen = priors or Priors()
    counts = category_counts(responses)
    plan = planned(responses, counts, model, anchors, groups)
    notes = screened(responses, counts, plan, chosen, min_answers=min_answers)
    _warn_of_asymptotes(plan, chosen)
    with workers(threads, responses.n_observations) as executor, single_threaded_blas():
        observations = observe(responses, counts, plan.n_categories, plan.group, executor=executor)
        built = build_model(plan, observations, fixed_nodes=grid is not None)
        state = starting_state(built, plan, counts[observations.order])
        nodes = first_nodes(observations) if grid is None else Nodes(grid.nodes, fixed=True)
        problem = Problem(built, observations, chosen, nodes, executor)
        problem, ended = _climb_in_stages(problem, state, settings)
        if shape is PopulationShape.HISTOGRAM:
            problem, ended = _climb_with_histogram(problem, ended, settings)
        value = log_likelihood(problem.observations, *problem.tables(ended.state), executor)
    solution = Solution(replace(problem, executor=None), ended.state, plan, responses.item_ids)
    return _fit(solution, ended, value, responses, notes, settings)


def _climb_in_stages(problem: Problem, state: State, settings: Settings) -> tuple[Problem, Climb]:
    """Climb roughly (on a part of the persons, where there are many), choose the nodes, climb on all to the end."""
    if problem.nodes.fixed:
        return problem, _climb(problem, state, settings, ())
    share = _warm_share(problem)
    rough = replace(problem, observations=problem.observations.leading(share)) if share < 1 else problem
    ended = _climb(rough, state, replace(settings, tol=max(ROUGH, settings.tol)), (), share=share)
    for _ in range(3):
        problem = replace(problem, nodes=fitting_nodes(rough, ended.state))
        rough = replace(rough, nodes=problem.nodes)
        ended = _climb(problem, ended.state, settings, ended.path)
        if fitting_nodes(rough, ended.state).step * NODES_TOO_COARSE >= problem.nodes.step:
            break
    return problem, ended


def _climb_with_histogram(problem: Problem, ended: Climb, settings: Settings) -> tuple[Problem, Climb]:
    """Go on from the normal solution with free weights; given nodes then move with the population as all nodes do."""
    normal = problem.nodes.log_weights(ended.state)
    if problem.nodes.fixed:
        problem = replace(problem, nodes=Nodes(problem.nodes.z))
        held = replace(ended.state, mean=np.zeros_like(ended.state.mean), sd=np.ones_like(ended.state.sd))
        ended = replace(ended, state=held)
    return problem, _climb(problem, replace(ended.state, log_histogram=normal), settings, ended.path)


def _climb(problem: Problem, state: State, settings: Settings, past: tuple[Cycle, ...], share: float = 1.0) -> Climb:
    ended = climb(
        problem,
        state,
        tol=settings.tol,
        first_cycle=len(past) + 1,
        max_cycles=settings.max_cycles,
        share=share,
        progress=settings.progress,
    )
    return Climb(ended.state, ended.status, past + ended.path)


def _warm_share(problem: Problem) -> float:
    observations = problem.observations
    wanted = max(WARM_ANSWERS, WARM_ANSWERS_AN_ITEM * len(observations.order))
    return wanted / observations.n_answers if observations.n_answers >= WARM_WORTH * wanted else 1.0


def _warn_of_asymptotes(plan: Plan, priors: Priors) -> None:
    names = sorted({str(name) for name in plan.model.tolist() if FAMILIES[str(name)].has_c})
    if names and priors.c is None:
        warnings.warn(
            f"{' and '.join(names)} without a prior on c: data seldom determine it; say priors=Priors(c=Beta(5, 17))",
            ModelWarning,
            stacklevel=3,
        )


def _fit(
    solution: Solution, ended: Climb, value: float, responses: Responses, notes: tuple[object, ...], settings: Settings
) -> Fit:
    problem, state, plan = solution.problem, solution.state, solution.plan
    hindsight = found_in(solution)
    status = Status.STALLED if hindsight.runaway and ended.status is Status.CONVERGED else ended.status
    return Fit(
        items=published_items(problem.model, state, plan, problem.observations, responses),
        population=_population(solution),
        log_likelihood=value,
        n_parameters=problem.model.n_parameters(state),
        n_persons=problem.observations.n_persons,
        status=status,
        path=ended.path,
        notes=(*notes, *hindsight.notes),
        tol=settings.tol,
        solution=solution,
    )


def _population(solution: Solution) -> Population:
    """Moments on the published scale."""
    problem, state = solution.problem, solution.state
    scale = theta_scale(problem.model, state)
    theta, weights = problem.nodes.theta(state), np.exp(problem.nodes.log_weights(state))
    mean, sd = (state.mean, state.sd) if state.log_histogram is None else moments(theta, weights)
    return Population(solution.plan.labels, mean * scale, sd * scale, theta * scale, weights)
