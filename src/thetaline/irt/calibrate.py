"""Calibration: item parameters and ability distributions from responses, by marginal maximum likelihood or MAP."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from thetaline.errors import InputError, ModelWarning
from thetaline.irt._alignment import labels_of
from thetaline.irt._arguments import check_kind, check_whole, shown
from thetaline.irt._types import Labelled
from thetaline.irt.calibration.data_checks import check_anchors_within, check_answered, check_data
from thetaline.irt.calibration.diagnostics import Diagnosis
from thetaline.irt.calibration.e_step import log_likelihood
from thetaline.irt.calibration.em import EmResult, Progress, Status
from thetaline.irt.calibration.findings import Note
from thetaline.irt.calibration.model_spec import (
    ModelChoice,
    ModelSpec,
    build_model,
    parse_model_spec,
    starting_state,
    with_categories,
)
from thetaline.irt.calibration.observed_data import ObservedData, observed_data
from thetaline.irt.calibration.ordering import category_counts
from thetaline.irt.calibration.problem import Problem
from thetaline.irt.calibration.quadrature import Nodes, initial_nodes
from thetaline.irt.calibration.solution import Solution
from thetaline.irt.calibration.warm_start import EmOptions, PopulationShape, em_with_warm_start
from thetaline.irt.families import FAMILIES
from thetaline.irt.fit import Fit
from thetaline.irt.grid import Grid
from thetaline.irt.items import Items
from thetaline.irt.priors import Priors
from thetaline.irt.responses import Responses
from thetaline.irt.threads import single_threaded_blas, workers

MIN_ANSWERS = 10


def calibrate(  # noqa: PLR0913  (one argument; the rest are options, keyword-only)
    responses: Responses,
    model: ModelChoice = "2PL",
    *,
    anchors: Items | None = None,
    groups: Labelled | None = None,
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

    `model` is a family's name, a Series or {item id: name}, or a list in the order of `responses.item_ids`.  `anchors`
    are held fixed; mean and sd of every group are then free (Kim, 2006).  `groups` has a label a person: a Series or a
    mapping goes by person id, an array (N,) by `responses.person_ids`, which `from_long` sorts; the first label in
    sorted order is N(0, 1), the others are free.
    `priors` None is maximum likelihood, else the posterior mode.  `grid` None follows population and data; a given grid
    stays as it is.  `tol` is the largest distance of a parameter (slope, intercept, asymptote as a probability) to its
    limit.  `population` "empirical-histogram" estimates the weights at the nodes.  Items with fewer than `min_answers`
    are named, and refused where no prior holds them.  Any number of `threads` gives the same result.

    Items of more than two categories run 0 … K − 1, or 1 … K where nobody gave a 0 to any of them, unless `responses`
    declare it; `Items.lowest` remembers it.  A category that nobody gave is kept by PCM and GPCM under a prior on b
    (Wilson & Masters, 1993), else refused.

    Raises ResponsesError or ItemsError naming the items that cannot be estimated, InputError for other arguments,
    CalibrationError when a likelihood is not a number.  Warns (ModelWarning) for 3PL and 4PL without a prior on c.
    """
    _check_values(responses, anchors, priors, grid)
    check_answered(responses)
    _check_options(model, min_answers, threads, progress)
    options = EmOptions(tol, max_cycles, progress, PopulationShape.parsed(population))
    responses, priors = with_categories(responses, model, anchors), priors or Priors()
    counts = category_counts(responses)
    spec = parse_model_spec(responses, counts, model=model, anchors=anchors, groups=groups, priors=priors)
    check_anchors_within(grid, spec.anchors)
    notes = check_data(responses, counts, spec, priors, min_answers=min_answers)
    _warn_of_asymptotes(spec, priors)
    with workers(threads, responses.n_observations) as executor, single_threaded_blas():
        data = observed_data(responses, counts, spec.n_categories, spec.group, executor=executor)
        problem = _problem(data, spec, priors, grid=grid, executor=executor)
        problem, result = em_with_warm_start(problem, starting_state(problem.model, spec, counts[data.order]), options)
        value = log_likelihood(data, *problem.tables(result.state), executor)
    solution = Solution(replace(problem, executor=None), result.state, spec, responses.item_ids)
    return _fit(solution, result, value, notes=notes, threads=threads, tol=tol)


def _check_values(responses: object, anchors: object, priors: object, grid: object) -> None:
    """Raise InputError for anything but Responses and, where they are given, Items, Priors and a Grid."""
    check_kind("responses", responses, Responses, "Responses.from_long, from_frame or from_matrix makes them")
    optional = (
        ("anchors", anchors, Items, "build them with Items(ids=.., model=.., a=.., b=..)"),
        ("priors", priors, Priors, "write Priors(a=LogNormal(0, 0.5), b=Normal(0, 2))"),
        ("grid", grid, Grid, "write Grid(61, -6, 6)"),
    )
    for name, value, kind, advice in optional:
        if value is not None:
            check_kind(name, value, kind, advice)


def _check_options(model: object, min_answers: object, threads: object, progress: object) -> None:
    """Raise InputError for choices of the wrong type."""
    if not isinstance(model, str | Mapping | Sequence | np.ndarray) and labels_of(model) is None:
        raise InputError(f"model must be a name, {{item id: name}} or a name an item, not {shown(model)}; say '2PL'")
    check_whole("min_answers", min_answers)
    if threads is not None:
        check_whole("threads", threads)
    if progress is not None and not callable(progress):
        raise InputError(f"progress must be a function of a cycle, not {shown(progress)}")


def _problem(
    data: ObservedData, spec: ModelSpec, priors: Priors, *, grid: Grid | None, executor: ThreadPoolExecutor | None
) -> Problem:
    nodes = initial_nodes(data) if grid is None else Nodes(grid.nodes, fixed=True)
    return Problem(build_model(spec, data, fixed_nodes=nodes.fixed), data, priors, nodes, executor)


def _warn_of_asymptotes(spec: ModelSpec, priors: Priors) -> None:
    names = sorted({str(name) for name in spec.model[~spec.anchored].tolist() if FAMILIES[str(name)].has_c})
    if names and priors.c is None:
        warnings.warn(
            f"{' and '.join(names)} without a prior on c: data seldom determine it; say priors=Priors(c=Beta(5, 17))",
            ModelWarning,
            stacklevel=3,
        )


def _fit(
    solution: Solution, result: EmResult, value: float, *, notes: tuple[Note, ...], threads: int | None, tol: float
) -> Fit:
    """Join what the EM found; slopes at their bound are no convergence."""
    diagnosis = Diagnosis(solution, result.status is Status.CONVERGED, value, notes, threads)
    return Fit(
        items=solution.items(),
        anchored=solution.spec.anchored,
        population=solution.population(),
        log_likelihood=value,
        n_parameters=solution.problem.model.n_parameters(result.state),
        n_persons=solution.problem.data.n_persons,
        status=Status.STALLED if diagnosis.converged and diagnosis.has_runaway() else result.status,
        path=result.path,
        tol=tol,
        _solution=solution,
        _diagnosis=diagnosis,
    )
