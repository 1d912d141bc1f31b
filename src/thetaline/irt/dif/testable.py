"""Which items a Wald test can compare between two groups, and of the others why not."""

import numpy as np
from numpy.typing import NDArray

from thetaline.irt._types import Array, Mask
from thetaline.irt.dif.matching import TwoGroups
from thetaline.irt.dif.result import DifOptions
from thetaline.irt.families import FAMILIES, model_name
from thetaline.irt.responses import Responses

# Answers to an item in each group, from which a slope of its own has an error that a Wald test can use: of items
# without DIF 8–9 % are rejected at 40 … 60, 6 % at 70 … 100. A common slope or a prior on a needs no such number.
LEAST_ANSWERS = 80


def untestable(responses: Responses, groups: TwoGroups, settings: DifOptions) -> NDArray[np.object_]:
    """(I,) why an item has no test, "" where it has one."""
    counts = _category_counts(responses, groups)
    reasons = np.full(responses.n_items, "", dtype=object)
    few = _own_slopes(responses, settings) & (counts.sum(axis=2).min(axis=0) < LEAST_ANSWERS)
    for item in np.flatnonzero(few | ~_same_categories(counts)):
        reasons[item] = _reason(counts[:, item], (groups.reference, groups.focal))
    return reasons


def _category_counts(responses: Responses, groups: TwoGroups) -> Array:
    """(2, I, K) persons of the reference and the focal group by item and answer."""
    width = int(responses.answer.max(initial=0)) + 1
    cell = (groups.is_focal[responses.person] * responses.n_items + responses.item) * width + responses.answer
    people = np.bincount(cell, responses.counts[responses.person], minlength=2 * responses.n_items * width)
    return people.astype(np.float64).reshape(2, responses.n_items, width)


def _same_categories(counts: Array) -> Mask:
    """(I,) whether both groups gave the same two or more categories of an item."""
    seen = counts > 0
    return np.asarray((seen[0] == seen[1]).all(axis=1) & (seen[0].sum(axis=1) > 1))


def _own_slopes(responses: Responses, settings: DifOptions) -> Mask:
    """(I,) whether the answers to the item alone decide its slope."""
    if settings.priors is not None and settings.priors.a is not None:
        return np.zeros(responses.n_items, dtype=bool)
    ids, model = responses.item_ids.tolist(), settings.model
    names = [model] * len(ids) if isinstance(model, str) else [model.get(name, "") for name in ids]
    return np.array([not FAMILIES[model_name(name)].tied for name in names])


def _reason(counts: Array, labels: tuple[object, object]) -> str:
    """What is wrong with one item, `counts` (2, K)."""
    for people, label in zip(counts, labels, strict=True):
        given = np.flatnonzero(people).tolist()
        if not given:
            return f"nobody in group {label!r} answered"
        if len(given) == 1:
            return (
                f"all {people.sum():.0f} answers in group {label!r} are {given[0]}; method='mantel-haenszel' tests it"
            )
    if not _same_categories(counts[:, None])[0]:
        first, second = (np.flatnonzero(people).tolist() for people in counts)
        return f"categories {first} were given in group {labels[0]!r}, {second} in {labels[1]!r}; collapse them"
    fewest = int(np.argmin(counts.sum(axis=1)))
    return (
        f"{counts[fewest].sum():.0f} answers in group {labels[fewest]!r}; a slope of its own needs {LEAST_ANSWERS}: "
        "give `a` a prior, or take model='Rasch' or method='mantel-haenszel'"
    )
