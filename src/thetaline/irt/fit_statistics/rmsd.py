"""RMSD: distance between the model's curve and the one that the data show (Köhler, Robitzsch & Hartig 2020).

The observed curve of category k at node q is r_ikq / n_iq: expected number of people at the node who gave k, of those
at the node who answered, from the posteriors of the E-step.
"""

import numpy as np

from thetaline.irt._types import Array, Index
from thetaline.irt.calibration.e_step import e_step
from thetaline.irt.calibration.observed_data import observed_data
from thetaline.irt.fit_statistics.estimated import Estimated
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses, persons_of


def rmsd(model: Estimated, responses: Responses) -> Array:
    """(I,) sqrt of the mean over the population and over the categories of (observed − expected)²; NaN if unanswered.

    All items of `responses` are in the bank. Groups are averaged by the people who answered the item in them.
    """
    has_answers = np.diff(responses.indptr) > 0
    result = np.full(len(model.items), np.nan)
    if not has_answers.any():
        return result
    responses = persons_of(responses, has_answers)
    present, group = np.unique(model.group[has_answers], return_inverse=True)
    nodes, weights = model.population.nodes[present], model.population.weights[present]
    answered = model.items.take(responses.item_ids)
    seen = observed_data(responses, _category_counts(responses, answered), answered.n_categories, group)
    ordered = answered.take(answered.ids[seen.order])
    tables = np.stack([ordered.log_prob(at) for at in nodes])
    counts = e_step(seen, tables, _log(weights), None).counts
    groups = zip(counts, np.exp(tables), weights, strict=True)
    parts = [_distance(*group, seen.offsets) for group in groups]
    squared, people = (np.array(column) for column in zip(*parts, strict=True))
    with np.errstate(invalid="ignore"):
        result[model.items.positions(ordered.ids)] = np.sqrt(np.sum(squared * people, axis=0) / np.sum(people, axis=0))
    return result


def _category_counts(responses: Responses, items: Items) -> Array:
    """(I, K) persons by item and category."""
    widest = int(items.n_categories.max())
    cell = responses.item.astype(np.int64) * widest + responses.answer
    people = np.bincount(cell, responses.counts[responses.person], len(items) * widest)
    return people.astype(np.float64).reshape(len(items), widest)


def _log(weights: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(weights)


def _distance(counts: Array, expected: Array, weights: Array, offsets: Index) -> tuple[Array, Array]:
    """Mean squared distance of every item in one group, and the people who answered it there."""
    sizes = np.diff(offsets)
    people = np.add.reduceat(counts, offsets[:-1], axis=0)
    reached = np.repeat(people, sizes, axis=0)
    observed = np.divide(counts, reached, out=expected.copy(), where=reached > 0)
    squared = np.add.reduceat(np.square(observed - expected), offsets[:-1], axis=0) / sizes[:, None]
    return squared @ weights, people.sum(axis=1)
