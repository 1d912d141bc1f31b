"""The items left out of a calibration and the learners without a published ability, each with the reason."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thetaline.jobs.arrays import Ints, Objects
from thetaline.jobs.calibration.observations import Observations


@dataclass(frozen=True, slots=True, eq=False)
class Excluded:
    """Ids (n,) that are left out, in order, with reasons (n,) and numbers of answers (n,)."""

    ids: Objects
    reasons: Objects
    n_answers: Ints

    def by_reason(self) -> dict[str, int]:
        """How many for each reason."""
        return {reason: len(ids) for reason, ids in self.ids_by_reason().items()}

    def ids_by_reason(self) -> dict[str, list[str]]:
        """All ids of each reason."""
        return {
            str(reason): self.ids[self.reasons == reason].tolist() for reason in np.unique(self.reasons.astype(str))
        }

    def listed(self) -> list[dict[str, object]]:
        """One row each, as plain values for a jsonb column."""
        rows = zip(self.ids, self.reasons, self.n_answers, strict=True)
        return [{"id": str(name), "reason": str(reason), "n_answers": int(n)} for name, reason, n in rows]


def excluded_items(observations: Observations, *, min_answers: int) -> Excluded:
    """Items with fewer answers than `min_answers`, and items without a finite b: all answers wrong, or all correct."""
    n = observations.answers_per_item()
    right = np.bincount(observations.item, weights=observations.correct, minlength=n.size).astype(np.int64)
    conditions = [n < min_answers, right == 0, right == n]
    named = [f"fewer than {min_answers} answers", "nobody answered it correctly", "nobody answered it wrongly"]
    return _chosen(observations.item_ids, np.select(conditions, named, default=""), n)


def excluded_users(observations: Observations, *, min_answers: int) -> Excluded:
    """Learners with fewer answers on calibrated items than `min_answers`; their answers still count for the items."""
    n = observations.answers_per_user()
    named = ["no answer on a calibrated item", f"fewer than {min_answers} answers on calibrated items"]
    return _chosen(observations.user_ids, np.select([n == 0, n < min_answers], named, default=""), n)


def _chosen(ids: Objects, reasons: NDArray[np.str_], n: Ints) -> Excluded:
    out = np.flatnonzero(reasons != "")
    return Excluded(ids[out], reasons[out].astype(object), n[out])
