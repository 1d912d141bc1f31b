"""Which runs held at the end of a week, and the calibration that its numbers rest on."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg

from thetaline import db
from thetaline.errors import JobError
from thetaline.jobs.abilities.item_bank import ItemBank, find_item_bank
from thetaline.reports.value import Absent, Linking, Measurement

SQL = db.sql("jobs/reports/runs.sql")
Connection = psycopg.Connection[Any]
WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True, eq=False)
class WeekRuns:
    """Run ids, None where none was published; `bank` has the items that were published by `as_of`, the Sunday."""

    week: date
    as_of: date
    weekly_theta: str | None
    growth: str | None
    growth_as_of: date | None
    churn: str | None
    segments: str | None
    bank: ItemBank | None
    measurement: Measurement | Absent

    @property
    def weeks_since_growth(self) -> int:
        """Whole weeks from the last of the growth lines to the reported one."""
        return 0 if self.growth_as_of is None else (self.as_of - self.growth_as_of).days // 7


def runs_of_week(conn: Connection, week: date) -> WeekRuns:
    """What was published and not taken back when the week was over."""
    as_of = week + WEEK - timedelta(days=1)
    weekly_theta, growth, growth_as_of, churn, segments = _one(conn, "runs_of_week", as_of=as_of)
    bank, measurement = _calibration(conn, as_of)
    return WeekRuns(
        week=week,
        as_of=as_of,
        weekly_theta=weekly_theta,
        growth=growth,
        growth_as_of=growth_as_of,
        churn=churn,
        segments=segments,
        bank=bank,
        measurement=measurement,
    )


def _calibration(conn: Connection, as_of: date) -> tuple[ItemBank | None, Measurement | Absent]:
    bank = find_item_bank(conn, as_of)
    if bank is None:
        return None, Absent.NOT_PUBLISHED
    spec, fitted_at, published, n_items, n_learners = _one(conn, "measurement", run_id=bank.run_id)
    if published > as_of:  # the bank of a day before the first publication is that of the first
        return None, Absent.NOT_PUBLISHED
    constants = spec.get("linking_constants") if spec.get("linked", True) else None
    measurement = Measurement(
        run_id=bank.run_id,
        model=bank.model,
        fitted_at=fitted_at,
        n_items=int(spec.get("n_items", n_items)),
        n_learners=int(spec.get("n_users", n_learners)),
        linking=_linking(constants) if constants else Absent.NOT_LINKED,
    )
    return bank, measurement


def _linking(constants: dict[str, Any]) -> Linking:
    return Linking(
        slope=float(constants["A"]),
        shift=float(constants["B"]),
        n_anchors_used=int(constants["n_anchors_used"]),
        method=str(constants["method"]),
    )


def _one(conn: Connection, statement: str, **values: object) -> tuple[Any, ...]:
    row = conn.execute(SQL[statement], values).fetchone()
    if row is None:
        raise JobError(f"the ledger has no row for {statement} of {values}; a run is gone that its rows name")
    return tuple(row)
