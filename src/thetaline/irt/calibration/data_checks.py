"""Before the first cycle: what cannot be estimated is refused, what only a prior can hold is named."""

from collections.abc import Iterator

import numpy as np

from thetaline.errors import ResponsesError
from thetaline.irt._types import Array, Mask
from thetaline.irt.calibration.model_spec import Plan
from thetaline.irt.calibration.notes import Finding, Note
from thetaline.irt.families import FAMILIES
from thetaline.irt.priors import Priors
from thetaline.irt.responses import Responses


def screened(responses: Responses, counts: Array, plan: Plan, priors: Priors, *, min_answers: int) -> tuple[Note, ...]:
    """Return notes on items and persons from the category counts (I, K).

    Raises ResponsesError for items that neither answers nor priors determine.
    """
    n_estimated = int((~plan.anchored).sum())
    if n_estimated == 0:
        raise ResponsesError("every item is an anchor; there is nothing to calibrate")
    if responses.n_items < 2:
        raise ResponsesError(f"one item ({responses.item_ids[0]!r}) cannot be calibrated; ability needs at least two")
    held = _held_by_priors(plan, priors)
    notes = list(_item_notes(responses, counts, plan, min_answers))
    for note in notes:
        loose = [name for name in note.ids.tolist() if not held[plan.position[name]]]
        if note.finding is Finding.UNUSED_CATEGORY:
            loose = note.ids.tolist()
        if loose:
            raise ResponsesError(_refusal(note, loose, min_answers))
    return (*notes, *_person_notes(responses))


def _held_by_priors(plan: Plan, priors: Priors) -> Mask:
    """Whether the priors alone give an item a finite estimate: b has one, and a where it is the item's own."""
    shared = np.array([FAMILIES[name].tied for name in plan.model.tolist()])
    return np.asarray((priors.b is not None) & (shared | (priors.a is not None)))


def _item_notes(responses: Responses, table: Array, plan: Plan, min_answers: int) -> Iterator[Note]:
    n = table.sum(axis=1)
    used = (table > 0).sum(axis=1)
    own = ~plan.anchored
    wanted = np.arange(table.shape[1]) < plan.n_categories[:, None]
    unused = ((table == 0) & wanted).any(axis=1) & (plan.n_categories > 2) & (used > 1)
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
        Finding.UNUSED_CATEGORY: f"items {some} have a category that nobody gave; number their categories without gaps",
        Finding.FEW_ANSWERS: f"items {some} have fewer than {min_answers} answers; drop them, give a and b priors, "
        "or lower min_answers",
    }[note.finding]
