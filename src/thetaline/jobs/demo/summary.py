"""The demo's report: the published run compared with the truth, as JSON and as text."""

from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row, tuple_row

from thetaline import db
from thetaline.jobs.demo.recovery import RecoveryStatistics, SimulatedWindow, recovery_statistics
from thetaline.learning.school_calendar import SchoolCalendar

_SQL = db.sql("jobs/demo/demo.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryReport:
    """The estimates of the linked run compared with the truth."""

    run_id: str
    n_items: int
    n_users: int
    constants: tuple[float, float]  # A, B
    true_constants: tuple[float, float]
    a: RecoveryStatistics
    b: RecoveryStatistics
    theta: RecoveryStatistics
    anchors: list[str]
    drifting_anchors: list[str]
    dropped_anchors: list[str]

    def as_json(self) -> dict[str, object]:
        """For the summary line."""
        return asdict(self)


def recovery_report(
    conn: psycopg.Connection[Any], run_id: str, *, first: SimulatedWindow, latest: SimulatedWindow
) -> RecoveryReport:
    """Compare the run that was linked to the first one with the truth of both windows."""
    base, drift = first.moments(), latest.truth.drift
    true_items = latest.items(base)
    true_theta = {user: (theta - base.mean) / base.sd for user, theta in latest.abilities().items()}
    items = {code: (a, b) for code, a, b in _rows(conn, "published_items", {})}
    abilities = dict(_rows(conn, "published_abilities", {"run_id": run_id}))
    anchors = dict(_rows(conn, "anchors", {}))
    spec, metrics = _rows(conn, "fit", {"run_id": run_id})[0]
    drifting = set(latest.truth.item_codes[drift != 0].tolist())
    return RecoveryReport(
        run_id=run_id,
        n_items=spec["n_items"],
        n_users=spec["n_users"],
        constants=(spec["linking_constants"]["A"], spec["linking_constants"]["B"]),
        true_constants=latest.moments().link_to(base),
        a=recovery_statistics(_part(items, 0), _part(true_items, 0)),
        b=recovery_statistics(_part(items, 1), _part(true_items, 1)),
        theta=recovery_statistics(abilities, true_theta),
        anchors=sorted(anchors.values()),
        drifting_anchors=sorted(drifting & set(anchors.values())),
        dropped_anchors=sorted(anchors[item] for item in metrics["anchors"]["dropped"]),
    )


def report_text(report: RecoveryReport, *, elapsed: float) -> str:
    """The report on the terminal."""
    (slope, shift), (true_slope, true_shift) = report.constants, report.true_constants
    caught = set(report.drifting_anchors) & set(report.dropped_anchors)
    others = len(report.dropped_anchors) - len(caught)
    return f"""
Published: {report.run_id}, {report.n_items} items and {report.n_users} learners on the scale of the first calibration.

  linking constants   A = {slope:.3f} (truth {true_slope:.3f})   B = {shift:.3f} (truth {true_shift:.3f})
                      θ on the first scale = A·θ + B: learners have grown by B, and spread by A
  anchors             {len(report.anchors)} tagged; {len(report.drifting_anchors)} of them drift in truth
  screening           dropped {len(caught)} of those that drift, and {others} that do not

  recovery            correlation with the truth   root mean square error   number
    difficulty b      {_row(report.b)}
    discrimination a  {_row(report.a)}
    ability θ         {_row(report.theta)}

{elapsed:.0f} s in all. What to try next:

  thetaline runs                                    the two calibrations and their verdicts
  thetaline runs show {report.run_id}
  thetaline db psql -c "table mirt_item_params limit 5"
  thetaline reports make --lang ko --format both    the weekly reports in Korean, as HTML and PDF
  thetaline import --help                           your own answers
  thetaline demo --fresh --learners 2000            a larger school
"""


def complete_text(contents: dict[str, Any], url: str, calendar: SchoolCalendar) -> str:
    """What a call after a complete demo prints."""
    first, last = (calendar.day_of(contents[name]) for name in ("first_at", "last_at"))
    return (
        f"The demo is in {url} already: {contents['learners']:,} learners, {contents['questions']:,} questions, "
        f"{contents['answers']:,} answers from {first} to {last}, "
        f"{contents['published_runs']} published calibrations.\n"
        "See `thetaline runs`; `thetaline demo --fresh` clears it and begins anew."
    )


def contents(conn: psycopg.Connection[Any], file: str) -> dict[str, Any]:
    """Counts of what the database holds, the results of the demo apart from others."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_SQL["contents"], {"file": file}).fetchone() or {}


def _part(items: dict[str, tuple[float, float]], place: int) -> dict[str, float]:
    return {code: pair[place] for code, pair in items.items()}


def _row(of: RecoveryStatistics) -> str:
    return f"{of.correlation:26.3f} {of.rmse:24.3f} {of.n:8,}"


def _rows(conn: psycopg.Connection[Any], statement: str, parameters: dict[str, object]) -> list[Any]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(_SQL[statement], parameters).fetchall()
