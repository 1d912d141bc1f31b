"""Scores the answers of each week against the references of the items, so that the evidence of weeks adds up."""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
from numpy.typing import DTypeLike

from thetaline import db, irt
from thetaline.db.bulk import read_columns
from thetaline.irt.item_scores import Answers, ItemScores, item_scores
from thetaline.jobs.arrays import Int32s
from thetaline.jobs.drift.comparison import ItemRow, bank_of, references_before
from thetaline.jobs.runner import JobContext
from thetaline.learning.windows import monday

SQL = db.sql("jobs/drift/monitor.sql")
WEEK = timedelta(days=7)
MOST_WEEKS = 13  # that are made up for at once
ANSWERS: dict[str, DTypeLike] = {
    "learner_no": np.int32,
    "item_no": np.int32,
    "correct": np.bool_,
    "counted": np.bool_,
}


def score_weeks(context: JobContext) -> int:
    """Score the week of the run's date as far as it has come, and those since the newest scored day; their number.

    Each week is committed by itself, and scored again by every night that falls in it. A run of an earlier day than
    the newest scored one scores nothing.
    """
    (newest,) = context.conn.execute(SQL["newest_scores"]).fetchone() or (None,)
    weeks = _weeks(newest, context.as_of)
    for week in weeks:
        _score(context, week, references_before(context.conn, week))
        context.conn.commit()
    return len(weeks)


def _weeks(newest: date | None, as_of: date) -> list[date]:
    """Mondays, ascending."""
    last = monday(as_of)
    longest = last - (MOST_WEEKS - 1) * WEEK
    first = max(monday(newest), longest) if newest else longest
    if newest and newest > as_of:
        return []
    return [first + number * WEEK for number in range((last - first) // WEEK + 1)]


def _score(context: JobContext, week: date, references: Mapping[int, ItemRow]) -> None:
    last = min(week + WEEK - timedelta(days=1), context.as_of)
    context.conn.execute(SQL["clear_week"], {"week": week})
    if not references:
        return
    ordered = dict(sorted(references.items()))
    numbers = np.array(list(ordered), dtype=np.int32)
    scores = _scores_of(context, (week, last), numbers, bank_of(ordered))
    kept = np.flatnonzero(scores.information > 0)
    context.conn.execute(
        SQL["insert_scores"],
        {
            "week": week,
            "as_of": last,
            "items": numbers[kept].tolist(),
            "references": [references[number].source for number in numbers[kept].tolist()],
            "counts": scores.n_answers[kept].tolist(),
            "scores": scores.score[kept].tolist(),
            "information": scores.information[kept].tolist(),
            "locations": scores.location[kept].tolist(),
        },
    )


def _scores_of(context: JobContext, days: tuple[date, date], numbers: Int32s, bank: irt.Items) -> ItemScores:
    """Of the answers of the days, the first and the last; abilities are those of a calibration's window up to then."""
    week, last = days
    start = min(week, last - timedelta(days=context.settings.mirt_lookback_days - 1))
    calendar = context.calendar
    bounds = {
        "start": calendar.start_of(start),
        "monday": calendar.start_of(week),
        "stop": calendar.start_of(last + timedelta(days=1)),
    }
    rows = read_columns(context.url, SQL["first_answers"], ANSWERS, parameters={**bounds, "items": numbers.tolist()})
    _, person = np.unique(rows["learner_no"], return_inverse=True)
    item = np.searchsorted(numbers, rows["item_no"]).astype(np.int32)
    return item_scores(bank, Answers(person.astype(np.int32), item, rows["correct"]), rows["counted"])
