"""What the growth model reads: answers of learners to items of a bank, each in a calendar week and maybe on a topic."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import InputError
from thetaline.irt.items import Items
from thetaline.learning._types import Array, Index, Int32s

NO_TOPIC = -1


@dataclass(frozen=True, slots=True, eq=False)
class GrowthAnswers:
    """n answers: learner and item are codes from 0, `week` counts ISO weeks from any origin with gaps kept.

    `topic` is a code from 0, −1 (`NO_TOPIC`) where an answer has none; `category` is 0 … K − 1 of the item's family.
    Raises InputError, naming the first row, for columns that differ in length, are not of whole numbers, or have codes
    outside their range.
    """

    learner: Int32s  # (n,)
    item: Int32s  # (n,) positions in the bank
    category: NDArray[np.uint8]  # (n,)
    week: Int32s  # (n,)
    topic: Int32s  # (n,)
    n_learners: int
    bank: Items

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        for name in ("item", "category", "week", "topic"):
            column = getattr(self, name)
            if column.shape != self.learner.shape or column.ndim != 1:
                raise InputError(
                    f"{name} has the shape {column.shape}, learner {self.learner.shape}: one value an answer"
                )
        for name in ("learner", "item", "category", "week", "topic"):
            if getattr(self, name).dtype.kind not in "iu":
                raise InputError(f"{name} is of type {getattr(self, name).dtype}; codes and weeks are whole numbers")
        self._refuse("learner", (self.learner < 0) | (self.learner >= self.n_learners), f"0 … {self.n_learners - 1}")
        self._refuse("item", (self.item < 0) | (self.item >= len(self.bank)), f"0 … {len(self.bank) - 1}")
        self._refuse("topic", self.topic < NO_TOPIC, f"{NO_TOPIC} or a code from 0")
        unknown = (self.category < 0) | (self.category >= self.bank.n_categories[self.item])
        self._refuse("category", unknown, "the item's 0 … K − 1")

    def _refuse(self, name: str, bad: NDArray[np.bool_], allowed: str) -> None:
        if bad.any():
            row = int(bad.argmax())
            raise InputError(f"{name} of answer {row} is {getattr(self, name)[row]}; it must be {allowed}")

    @property
    def n_answers(self) -> int:
        """n."""
        return self.learner.size

    def where(self, rows: NDArray[np.bool_] | Index) -> Self:
        """These answers; learners, items and topics keep their codes."""
        columns = {name: getattr(self, name)[rows] for name in ("learner", "item", "category", "week", "topic")}
        return replace(self, **columns)

    def by_learner(self) -> Self:
        """The same answers in the order of learners."""
        if (np.diff(self.learner) >= 0).all():
            return self
        return self.where(np.argsort(self.learner, kind="stable"))

    def counts(self) -> Array:
        """(N,) number of answers of each learner."""
        return np.bincount(self.learner, minlength=self.n_learners).astype(np.float64)
