"""Exposure control: the best item is not always asked, so that no item becomes known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._alignment import labelled_dict
from thetaline.irt._types import Array, Index, Mask, short_repr
from thetaline.irt.items import Items


class Pick(NamedTuple):
    """Chosen item of each person (N,), −1 where none is left, and the items (N, I) that are out for that person now."""

    chosen: Index
    rejected: Mask


class Exposure(Protocol):
    """A rule that picks from values (N, I), −inf where an item may not be asked."""

    def pick(self, items: Items, values: Array, rng: np.random.Generator) -> Pick:
        """Choose one item a person."""
        ...


class Best:
    """No control: the item of the highest value; the first of equals."""

    def pick(self, _items: Items, values: Array, _rng: np.random.Generator) -> Pick:
        """The largest."""
        chosen = np.where(np.isfinite(values).any(axis=1), values.argmax(axis=1), -1)
        return Pick(chosen, np.zeros(values.shape, dtype=bool))


@dataclass(frozen=True, slots=True)
class Randomesque:
    """One of the `n` best at random (Kingsbury & Zara, 1989)."""

    n: int = 5

    def __post_init__(self) -> None:
        """Refuse a choice among none."""
        if self.n < 1:
            raise InputError(f"randomesque chooses among the n ≥ 1 best items, not {self.n}")

    def pick(self, _items: Items, values: Array, rng: np.random.Generator) -> Pick:
        """Each of the n best, of as many as are left, with equal probability."""
        order = np.argsort(-values, axis=1, kind="stable")
        choice = np.minimum(self.n, np.isfinite(values).sum(axis=1))
        place = (rng.random(len(values)) * choice).astype(np.intp)
        chosen = np.where(choice > 0, order[np.arange(len(values)), place], -1)
        return Pick(chosen, np.zeros(values.shape, dtype=bool))


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class SympsonHetter:
    """The best item is asked with probability k, else it is out for this person and the next is tried.

    Sympson & Hetter (1985).  `k` is {item id: probability}, or a Series; items that it lacks have 1.
    `calibrate_exposure` finds k.
    """

    k: Mapping[Any, float]

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        object.__setattr__(self, "k", labelled_dict(self.k))
        wrong = [item for item, k in self.k.items() if not 0.0 <= k <= 1.0]
        if wrong:
            raise InputError(f"exposure parameters of items {wrong[:5]} are not in 0 … 1")

    def pick(self, items: Items, values: Array, rng: np.random.Generator) -> Pick:
        """The first in order of value that is let through; the best where none is."""
        k = np.array([self.k.get(item, 1.0) for item in items.ids.tolist()])
        open_, order = np.isfinite(values), np.argsort(-values, axis=1, kind="stable")
        passed = np.take_along_axis(open_ & (rng.random(values.shape) < k), order, axis=1)
        place = np.where(passed.any(axis=1), passed.argmax(axis=1), 0)
        chosen = np.where(open_.any(axis=1), order[np.arange(len(values)), place], -1)
        before = np.arange(values.shape[1]) < place[:, None]  # all of them open: closed ones come last
        rejected = np.zeros(values.shape, dtype=bool)
        np.put_along_axis(rejected, order, before, axis=1)
        return Pick(chosen, rejected)
