"""Answers gathered batch by batch into arrays; ids are told once."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from thetaline.jobs.calibration.observations import Observations, first_answers
from thetaline.service.http_errors import ApiError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Codes = NDArray[np.int32]


class Columns:
    """Batches of answered observations; `observations()` keeps the first answer of each learner to each item."""

    def __init__(self, most: int) -> None:
        """`most` observations at most; more raise a 413."""
        self.most, self._n = most, 0
        self._users: dict[str, int] = {}
        self._items: dict[str, int] = {}
        self._batches: list[tuple[Codes, Codes, NDArray[np.uint8], NDArray[np.int64]]] = []

    def add(
        self,
        users: Sequence[str],
        items: Sequence[str],
        *,
        correct: NDArray[np.uint8],
        answered_at: NDArray[np.int64],
    ) -> None:
        """Take a batch; `answered_at` is in microseconds since 1970, 0 where it is not known."""
        self._n += len(correct)
        if self._n > self.most:
            raise ApiError(413, f"more than {self.most} observations", "split the calibration, or raise the limit")
        self._batches.append((_codes(users, self._users), _codes(items, self._items), correct, answered_at))

    def observations(self) -> Observations:
        """All batches as one value. Raises a 422 without a single answer."""
        if not self._n:
            raise ApiError(422, "no observation is answered")
        user, item, correct, answered_at = (np.concatenate(parts) for parts in zip(*self._batches, strict=True))
        moments = answered_at.astype("datetime64[us]")
        rows = _first(user, item, moments, correct) if _has_repeats(user, item, len(self._items)) else slice(None)
        return Observations(
            user_ids=np.array(list(self._users), dtype=object),
            item_ids=np.array(list(self._items), dtype=object),
            user=user[rows],
            item=item[rows],
            correct=correct[rows],
            responded_at=moments[rows],
        )


def microseconds(moment: datetime | None) -> int:
    """Since 1970; a time without an offset is UTC, an unknown one is 0."""
    if moment is None:
        return 0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int((aware - EPOCH).total_seconds() * 1_000_000)


def _codes(names: Sequence[str], known: dict[str, int]) -> Codes:
    return np.fromiter((known.setdefault(name, len(known)) for name in names), dtype=np.int32, count=len(names))


def _has_repeats(user: Codes, item: Codes, n_items: int) -> bool:
    pairs = np.sort(user.astype(np.int64) * n_items + item)
    return bool((pairs[1:] == pairs[:-1]).any())


def _first(user: Codes, item: Codes, moments: NDArray[np.datetime64], correct: NDArray[np.uint8]) -> NDArray[np.intp]:
    ordinal = np.arange(user.size, dtype=np.int32)
    return first_answers(user, item, answered_at=moments, ordinal=ordinal, correct=correct.astype(bool)).rows
