"""After the last cycle: groups whose ability distribution collapsed, ran away from the items or leaves the nodes."""

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr

from thetaline.irt.calibration.notes import Finding, Note
from thetaline.irt.calibration.solution import Solution

BEYOND = 0.01  # share of a population outside the given nodes: from here its moments are not those of what is left
NO_SPREAD = 0.05  # logits: of 20 items none tells persons this alike apart
OUT_OF_REACH = 6.0  # logits between the mean and the middle of the items: 1 answer of 400 is not what all expect


def population_notes(solution: Solution) -> Iterator[Note]:
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
        inside = ndtr((nodes.z[-1] - state.mean) / state.sd) - ndtr((nodes.z[0] - state.mean) / state.sd)
        found[Finding.BEYOND_NODES] = inside < 1.0 - BEYOND
    labels = np.empty(len(state.mean), dtype=object)
    labels[:] = solution.plan.labels
    for finding, mask in found.items():
        if mask.any():
            yield Note(finding, labels[mask])


def _typical_item(solution: Solution) -> tuple[float, float]:
    """Medians of the slopes, their signs left out, and of the items' mean intercepts."""
    slopes, intercepts = [], []
    for part, free in solution.problem.model.with_values(solution.state):
        slopes.append(np.abs(free[:, 0]))
        intercepts.append(free[:, 1 : part.n_categories].mean(axis=1))
    return float(np.median(np.concatenate(slopes))), float(np.median(np.concatenate(intercepts)))
