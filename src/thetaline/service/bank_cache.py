"""The published item bank, kept in memory between publications."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from thetaline import irt
from thetaline.db import queries
from thetaline.jobs.item_params import items_of_params
from thetaline.service.database import Database
from thetaline.service.http_errors import ApiError

BANK_SECS = 10.0  # how long a newly published bank may stay unseen


class BankCache:
    """The published items as the library has them, read again when a calibration is published."""

    def __init__(self, database: Database) -> None:
        """Nothing is read before `items`."""
        self._database = database
        self._items: irt.Items | None = None
        self._run_id: str | None = None
        self._seen_at = -BANK_SECS

    async def items(self) -> irt.Items:
        """All of them. Raises a 404 where nothing is published."""
        if self._items is None or time.monotonic() - self._seen_at > BANK_SECS:
            await self._look()
        if self._items is None:
            raise ApiError(404, "no item parameters are published")
        return self._items

    async def _look(self) -> None:
        run_id = await self._database.run(queries.newest_published_run)
        if run_id != self._run_id or self._items is None:
            rows = await self._database.run(queries.bank)
            self._items, self._run_id = published_items(rows) if rows else None, run_id
        self._seen_at = time.monotonic()


def published_items(rows: Sequence[Mapping[str, Any]]) -> irt.Items:
    """Rows of the bank as the library has them."""
    return items_of_params(
        [row["item_id"] for row in rows], [row["model"] for row in rows], [row["params"] for row in rows]
    )
