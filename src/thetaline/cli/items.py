"""`thetaline items`: what is known of each item, as a table or as CSV."""

import csv
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from thetaline import db
from thetaline.cli.tables import output, table
from thetaline.db.connection import Connection
from thetaline.jobs.calibration.publication import current_run
from thetaline.jobs.calibration.run_records import load_run
from thetaline.jobs.command_line import DateOption
from thetaline.jobs.item_analysis import COLUMNS, ItemReport, item_report
from thetaline.jobs.runner import date_of_run, prepare_database
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.learning.windows import Window, day_number, last_days
from thetaline.settings import Settings, load

HEAD = {
    "code": "item", "n_answers": "n", "share_right": "right", "item_rest": "item–rest",
    "a": "a", "b": "b", "se_b": "se(b)",
    "infit": "infit", "rmsd": "rmsd", "flags": "look at it because",
}  # fmt: skip

app = typer.Typer(add_completion=False)


@app.command()
def items(
    date: DateOption = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="Days of answers. Default: those of the current calibration.")
    ] = None,
    flagged: Annotated[bool, typer.Option("--flagged", help="Only items that need a look.")] = False,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write all columns there; - is the output.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show each item of a window: answers, share right, item–rest correlation, published a and b, fit, flags.

    Without --date and --days the window is that of the current calibration.
    """
    settings = load()
    url = prepare_database(settings)
    with db.connect(url, name="thetaline items") as conn:
        window = _window(conn, settings, date, days)
        calendar = SchoolCalendar(settings.time_zone)
        report = item_report(conn, url, window, calendar=calendar, most=settings.mirt_max_obs)
    rows = [row for row in report.rows if row["flags"] or not flagged]
    if csv_file is not None:
        with output(csv_file) as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    elif as_json:
        typer.echo(json.dumps({**_totals(report, window), "items": rows}, ensure_ascii=False))
    else:
        typer.echo(table(list(HEAD.values()), [[row[name] for name in HEAD] for row in rows]))
        typer.echo(_in_words(report, window), err=True)


def _window(conn: Connection, settings: Settings, text: str | None, days: int | None) -> Window:
    """The asked days, else those of the current calibration, else the look-back of the settings."""
    run_id = current_run(conn)
    spec: Mapping[str, Any] = (load_run(conn, run_id).model_spec or {}) if run_id else {}
    if text is None and days is None and "window" in spec:
        start, stop = (date.fromisoformat(spec["window"][end]) for end in ("start", "stop"))
        return Window(day_number(start), day_number(stop))
    day = date_of_run(text, SchoolCalendar(settings.time_zone), datetime.now(UTC))
    return last_days(day, days or settings.mirt_lookback_days)


def _totals(report: ItemReport, window: Window) -> dict[str, object]:
    coefficients = {
        name: {"estimate": one.estimate, "low": one.low, "high": one.high} if one.estimate == one.estimate else None
        for name, one in (("alpha", report.alpha), ("omega", report.omega))
    }
    return {"start": str(window.first_day), "end": str(window.last_day), "run_id": report.run_id, **coefficients}


def _in_words(report: ItemReport, window: Window) -> str:
    n_flagged = sum(bool(row["flags"]) for row in report.rows)
    told = [f"{len(report.rows)} items, {n_flagged} flagged; answers from {window.first_day} to {window.last_day}"]
    told.append(f"parameters of {report.run_id}" if report.run_id else "nothing is published yet")
    for name, one in (("alpha", report.alpha), ("omega", report.omega)):
        if one.estimate == one.estimate:
            told.append(f"{name} {one.estimate:.2f} ({one.low:.2f} … {one.high:.2f})")
        else:
            told.append(f"{name} unknown: some pairs of items have no learner in common")
    return "; ".join(told)
