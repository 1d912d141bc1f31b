"""Before the first cycle: what cannot be estimated is refused, what only a prior can hold is named."""

from collections.abc import Iterator

import numpy as np

from thetaline.errors import ItemsError, ResponsesError
from thetaline.irt._scipy import csgraph, sparse
from thetaline.irt._types import Array, Mask
from thetaline.irt.calibration.findings import Finding, Note
from thetaline.irt.calibration.model_spec import ModelSpec
from thetaline.irt.families import FAMILIES
from thetaline.irt.grid import Grid
from thetaline.irt.items import Items
from thetaline.irt.priors import Priors
from thetaline.irt.responses import Responses


def check_answered(responses: Responses) -> None:
    """Raise ResponsesError where nobody answered anything."""
    if not responses.n_observations:
        raise ResponsesError(
            f"there are no answers: none of {responses.n_persons} persons answered any of {responses.n_items} items"
        )


def check_anchors_within(grid: Grid | None, anchors: Items | None) -> None:
    """Raise ItemsError where every threshold of the anchors lies outside the given nodes.

    The abilities would then lie where there is no node.
    """
    if grid is None or anchors is None:
        return
    low, high = float(np.nanmin(anchors.b)), float(np.nanmax(anchors.b))
    if low > grid.high or high < grid.low:
        raise ItemsError(
            f"anchors {anchors.ids[:5].tolist()} have b from {low:g} to {high:g}, outside {grid}; "
            "leave grid out, or take one around the anchors"
        )


def check_data(
    responses: Responses, counts: Array, spec: ModelSpec, priors: Priors, *, min_answers: int
) -> tuple[Note, ...]:
    """Return notes on items and persons from the category counts (I, K).

    Raises ResponsesError for groups without a common scale and for items that neither answers nor priors determine.
    """
    _check_identified(responses, spec, priors)
    if responses.n_items < 2:
        raise ResponsesError(f"one item ({responses.item_ids[0]!r}) cannot be calibrated; ability needs at least two")
    held, kept = _held_by_priors(spec, priors), _unused_held(counts, spec, priors)
    notes = list(_item_notes(responses, counts, spec, min_answers))
    for note in notes:
        firm = kept if note.finding is Finding.UNUSED_CATEGORY else held
        loose = [name for name in note.ids.tolist() if not firm[spec.position[name]]]
        if loose:
            raise ResponsesError(_refusal(note, loose, min_answers))
    return (*notes, *_person_notes(responses))


def _check_identified(responses: Responses, spec: ModelSpec, priors: Priors) -> None:
    """Raise ResponsesError naming groups that no common item, anchor or prior on b ties to the first group."""
    if len(spec.labels) == 1 or priors.b is not None:
        return
    tied = _tied_to_scale(responses, spec)
    if not tied.all():
        loose = [label for label, held in zip(spec.labels, tied.tolist(), strict=True) if not held]
        others = "the anchors" if spec.anchors is not None else repr(spec.labels[0])
        raise ResponsesError(
            f"groups {loose} have no items in common with {others}, so "
            "their abilities have no common scale; calibrate them apart, add anchors, or give b a prior"
        )


def _tied_to_scale(responses: Responses, spec: ModelSpec) -> Mask:
    """Whether a chain of common items leads from a group to the anchors or, without them, to the first group, (G,)."""
    n_groups, n_items = len(spec.labels), responses.n_items
    pairs = np.unique(spec.group[responses.person] * n_items + responses.item.astype(np.intp))
    group, item = pairs // n_items, pairs % n_items
    scale = n_groups + n_items
    anchors = np.flatnonzero(spec.anchored) + n_groups if spec.anchors is not None else np.array([0])
    rows, columns = np.concatenate([group, anchors]), np.concatenate([item + n_groups, np.full(len(anchors), scale)])
    links = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(scale + 1, scale + 1))
    _, component = csgraph.connected_components(links, directed=False)
    return np.asarray(component[:n_groups] == component[scale])


def _held_by_priors(spec: ModelSpec, priors: Priors) -> Mask:
    """Whether the priors alone give an item a finite estimate: b has one, and a where it is the item's own."""
    shared = np.array([FAMILIES[name].tied for name in spec.model.tolist()])
    return np.asarray((priors.b is not None) & (shared | (priors.a is not None)))


def _unused_held(counts: Array, spec: ModelSpec, priors: Priors) -> Mask:
    """Whether a prior on b keeps the categories that nobody gave, (I,).

    Thresholds that must rise leave none between others: the two beside it would meet.
    """
    disordered = np.array([FAMILIES[name].disordered for name in spec.model.tolist()])
    used = counts > 0
    inside = (np.cumsum(used, axis=1) > 0) & (np.cumsum(used[:, ::-1], axis=1)[:, ::-1] > 0)
    return np.asarray((priors.b is not None) & (disordered | (inside == used).all(axis=1)))


def _item_notes(responses: Responses, table: Array, spec: ModelSpec, min_answers: int) -> Iterator[Note]:
    n = table.sum(axis=1)
    used = (table > 0).sum(axis=1)
    own = ~spec.anchored
    wanted = np.arange(table.shape[1]) < spec.n_categories[:, None]
    unused = ((table == 0) & wanted).any(axis=1) & (spec.n_categories > 2) & (used > 1)
    found = {
        Finding.NO_ANSWERS: n == 0,
        Finding.ONE_CATEGORY: used == 1,
        Finding.UNUSED_CATEGORY: unused,
        Finding.FEW_ANSWERS: (n > 0) & (n < min_answers) & (used > 1),
    }
    for finding, mask in found.items():
        if (mask & own).any():
            yield Note(finding, responses.item_ids[mask & own])


def _person_notes(responses: Responses) -> Iterator[Note]:
    n = np.diff(responses.indptr)
    if (n == 0).any():
        yield Note(Finding.PERSON_WITHOUT_ANSWERS, responses.person_ids[n == 0])
    if (n == 1).any():
        yield Note(Finding.PERSON_WITH_ONE_ANSWER, responses.person_ids[n == 1])


def _refusal(note: Note, ids: list[object], min_answers: int) -> str:
    some = f"{ids[:10]}" + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")
    return {
        Finding.NO_ANSWERS: f"nobody answered items {some}; drop them, or give a and b priors",
        Finding.ONE_CATEGORY: f"everybody gave the same answer to items {some}; drop them, or give a and b priors",
        Finding.UNUSED_CATEGORY: f"items {some} have a category that nobody gave; number "
        "their categories without gaps, or take PCM or GPCM with a prior on b",
        Finding.FEW_ANSWERS: f"items {some} have fewer than {min_answers} answers; drop them, give a and b priors, "
        "or lower min_answers",
    }[note.finding]
