"""The published item parameters of a day with the population of θ: what all scores are made with."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import psycopg

from thetaline import db, irt
from thetaline.errors import JobError
from thetaline.jobs.arrays import Int32s
from thetaline.jobs.item_params import items_of_params

SQL = db.sql("jobs/abilities/item_bank.sql")
STANDARD_NORMAL = (0.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class ItemBank:
    """I published items, ascending by `item_no`; θ of the learners is N(mean, sd²) on their scale.

    `run_id` is the newest calibration among those that the parameters come from, `run_ids` (I,) each item's own.
    """

    run_id: str
    run_ids: tuple[str, ...]
    model: str
    items: irt.Items  # ids are item_no
    item_no: Int32s
    mean: float
    sd: float

    def position(self, item_no: Int32s) -> Int32s:
        """(M,) places in the bank; −1 for an item without published parameters."""
        place = np.minimum(np.searchsorted(self.item_no, item_no), self.item_no.size - 1)
        return np.where(self.item_no[place] == item_no, place, -1).astype(np.int32)


def load_item_bank(conn: psycopg.Connection[Any], as_of: date) -> ItemBank:
    """As `find_item_bank`. Raises JobError where nothing is published."""
    bank = find_item_bank(conn, as_of)
    if bank is None:
        raise JobError("no item parameters are published; run `thetaline calibrate` first")
    return bank


def find_item_bank(conn: psycopg.Connection[Any], as_of: date) -> ItemBank | None:
    """The newest published parameters of each item that were current on `as_of`; None before the first publication.

    A day before the first publication gets the first published ones, so that past dates can be computed.
    """
    rows = conn.execute(SQL["items_on"], {"as_of": as_of}).fetchall()
    if not rows:
        return None
    item_no, model, params, run_ids, days, fitted_at = zip(*rows, strict=True)
    newest = max(zip(days, fitted_at, run_ids, strict=True))[2]
    items = items_of_params(item_no, model, params)
    mean, sd = _population(conn, newest)
    return ItemBank(newest, run_ids, model[run_ids.index(newest)], items, np.array(item_no, np.int32), mean, sd)


def _population(conn: psycopg.Connection[Any], run_id: str) -> tuple[float, float]:
    """Mean and sd of θ among the calibrated learners, on the published scale."""
    mean, sd = conn.execute(SQL["population"], {"run_id": run_id}).fetchone() or STANDARD_NORMAL
    return (float(mean), float(sd)) if mean is not None and sd else STANDARD_NORMAL
