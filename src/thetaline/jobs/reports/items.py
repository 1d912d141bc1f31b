"""The published items of a week with what people know of them, and how long they usually take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg

from thetaline import db
from thetaline.jobs.abilities.item_bank import ItemBank
from thetaline.jobs.arrays import Array
from thetaline.jobs.reports.runs import WeekRuns
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.learning.windows import KPI_WINDOW_DAYS, last_days
from thetaline.reports.effort import rapid_thresholds
from thetaline.reports.success import SuccessTable
from thetaline.reports.suggestions import Bank

SQL = db.sql("jobs/reports/items.sql")
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, eq=False)
class ItemFacts:
    """Of the items of a bank (I,), in its order."""

    bank: Bank
    success: SuccessTable
    rapid_ms: Array  # (I,) NaN where the usual time is unknown
    run_of: Mapping[str, str]  # by the item's code, the calibration that its parameters come from


def item_facts(conn: Connection, runs: WeekRuns, items: ItemBank, calendar: SchoolCalendar) -> ItemFacts:
    """The topic is the question's own, else the one that answers of the last 28 days name most."""
    bounds = calendar.bounds(last_days(runs.as_of, KPI_WINDOW_DAYS))
    usage = {number: rest for number, *rest in conn.execute(SQL["item_usage"], bounds)}
    parameters = {"items": items.item_no.tolist(), "as_of": runs.as_of, "stop": bounds["stop"]}
    rows = conn.execute(SQL["items"], parameters).fetchall()
    used = [usage.get(number, (None, 0, None)) for number, *_ in rows]
    topic_of = [own or usual for (_, _, _, own, _), (_, _, usual) in zip(rows, used, strict=True)]
    topics = sorted({topic for topic in topic_of if topic is not None})
    place = {topic: number for number, topic in enumerate(topics)}
    bank = Bank(
        codes=[code for _, code, *_ in rows],
        content=[content for _, _, content, *_ in rows],
        topic=np.array([-1 if topic is None else place[topic] for topic in topic_of], np.int64),
        topics=topics,
        difficulty=items.items.b,
        usable=np.array([not unusable for *_, unusable in rows], bool),
    )
    median = np.array([np.nan if median is None else median for median, _, _ in used], float)
    n_times = np.array([n for _, n, _ in used], np.int64)
    run_of = dict(zip(bank.codes, items.run_ids, strict=True))
    return ItemFacts(bank, SuccessTable.of(items.items), rapid_thresholds(median, n_times), run_of)
