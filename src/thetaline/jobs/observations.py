"""The answers of a calibration window as one frozen value of arrays."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """M answers of N learners to I items; `user` and `item` are positions in the two lists of ids.

    One answer a (learner, item); it is what the contract's `observations` say, told once an id instead of once an answer.
    """

    user_ids: NDArray[np.object_]  # (N,) text
    item_ids: NDArray[np.object_]  # (I,) text
    user: NDArray[np.int32]  # (M,)
    item: NDArray[np.int32]  # (M,)
    correct: NDArray[np.uint8]  # (M,) 0 or 1
    responded_at: NDArray[np.datetime64]  # (M,) microseconds, UTC

    @property
    def n_answers(self) -> int:
        """M."""
        return int(self.item.size)

    def answers_per_item(self) -> NDArray[np.int64]:
        """(I,) counts."""
        return np.bincount(self.item, minlength=self.item_ids.size).astype(np.int64)

    def answers_per_user(self) -> NDArray[np.int64]:
        """(N,) counts."""
        return np.bincount(self.user, minlength=self.user_ids.size).astype(np.int64)

    def without_items(self, item_ids: NDArray[np.object_]) -> Self:
        """These answers without some items; every learner stays listed, also one who has no answer left."""
        keep_item = ~np.isin(self.item_ids.astype(str), item_ids.astype(str))
        keep = keep_item[self.item]
        position = np.cumsum(keep_item, dtype=np.int32) - np.int32(1)
        return replace(
            self,
            item_ids=self.item_ids[keep_item],
            user=self.user[keep],
            item=position[self.item[keep]],
            correct=self.correct[keep],
            responded_at=self.responded_at[keep],
        )

    def rows(self) -> Iterator[dict[str, object]]:
        """The contract's JSON, one observation after the other."""
        times = np.datetime_as_string(self.responded_at, unit="ms", timezone="UTC")
        for user, item, correct, at in zip(self.user, self.item, self.correct, times, strict=True):
            yield {
                "user_id": self.user_ids[user],
                "item_id": self.item_ids[item],
                "is_correct": bool(correct),
                "responded_at": str(at),
            }
