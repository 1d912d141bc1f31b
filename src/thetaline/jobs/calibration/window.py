"""Reads the answers of a calibration: whole days, the first answer of each learner to each item."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import psycopg
from numpy.typing import DTypeLike, NDArray

from thetaline import db
from thetaline.db.bulk import read_columns
from thetaline.jobs.arrays import Int32s, Objects
from thetaline.jobs.calibration.observations import Observations, first_answers, newest
from thetaline.jobs.progress import progress
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.learning.windows import Window

SQL = db.sql("jobs/calibration/window.sql")
WIDTHS: dict[str, DTypeLike] = {
    "learner_no": np.int32,
    "item_no": np.int32,
    "ordinal": np.int32,
    "correct": np.bool_,
    "answered_at": "datetime64[us]",
}
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowAnswers:
    """The observations of a window with the surrogate keys (N,), (I,) of their ids, and what was left out."""

    observations: Observations
    learner_no: Int32s
    item_no: Int32s
    n_repeats: int
    n_contradictory: int
    n_over_limit: int


def span(window: Window) -> dict[str, str]:
    """Its first day and the day after its last."""
    return {"start": str(window.first_day), "stop": str(window.last_day + timedelta(days=1))}


def load_answers(conn: Connection, url: str, window: Window, *, calendar: SchoolCalendar, most: int) -> WindowAnswers:
    """The first answers in a window, at most `most` of them (the newest), 0 being no limit."""
    rows = _read(url, calendar.bounds(window))
    first = first_answers(
        rows["learner_no"],
        rows["item_no"],
        answered_at=rows["answered_at"],
        ordinal=rows["ordinal"],
        correct=rows["correct"],
    )
    kept = first.rows[newest(rows["answered_at"][first.rows], most)]
    learner_no, user = np.unique(rows["learner_no"][kept], return_inverse=True)
    item_no, item = np.unique(rows["item_no"][kept], return_inverse=True)
    observations = Observations(
        user_ids=_ids(conn, "learners", learner_no),
        item_ids=_ids(conn, "items", item_no),
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        correct=rows["correct"][kept].astype(np.uint8),
        responded_at=rows["answered_at"][kept],
    )
    return WindowAnswers(
        observations=observations,
        learner_no=learner_no,
        item_no=item_no,
        n_repeats=first.n_repeats,
        n_contradictory=first.n_contradictory,
        n_over_limit=first.rows.size - kept.size,
    )


def _read(url: str, bounds: dict[str, datetime]) -> dict[str, NDArray[Any]]:
    with progress("reading answers") as update:
        return read_columns(
            url,
            SQL["answers_in_window"],
            WIDTHS,
            parameters=bounds,
            progress=lambda n: update(n, f"{n:,} rows"),
        )


def _ids(conn: Connection, statement: str, numbers: Int32s) -> Objects:
    """(n,) the ids of sorted surrogate keys."""
    rows = conn.execute(SQL[statement], {"numbers": numbers.tolist()}).fetchall()
    return np.array([name for _, name in rows], dtype=object)
