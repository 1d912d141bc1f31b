"""Weekly θ as it is foretold from the end of the week on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from thetaline import db
from thetaline.jobs.reports.runs import WeekRuns
from thetaline.reports.value import Absent, ForecastPoint

SQL = db.sql("jobs/reports/forecast.sql")
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """The weeks ahead of each learner, by learner_no, and why another learner has none."""

    run_id: str | None
    points: Mapping[int, tuple[ForecastPoint, ...]]
    why_not: Absent

    def absent(self, number: int) -> Absent | None:
        """Why a learner has none, if so."""
        return None if number in self.points else self.why_not


HIDDEN = Forecasts(None, {}, Absent.NOT_ALLOWED)


def read_forecasts(conn: Connection, runs: WeekRuns, learners: Iterable[int]) -> Forecasts:
    """Of the run for this very week: one of an earlier week foretells what is known by now."""
    row = conn.execute(SQL["forecast_run"], {"as_of": runs.as_of}).fetchone()
    if row is None:
        return Forecasts(None, {}, Absent.NOT_FITTED)
    points: dict[int, list[ForecastPoint]] = defaultdict(list)
    for number, *point in conn.execute(SQL["forecasts"], {"as_of": runs.as_of, "learners": list(learners)}):
        points[number].append(ForecastPoint(*point))
    ahead = {number: tuple(weeks) for number, weeks in points.items()}
    return Forecasts(str(row[0]), ahead, Absent.TOO_FEW_WEEKS)
