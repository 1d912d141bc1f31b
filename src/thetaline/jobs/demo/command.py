"""The demo step by step: simulate, import, calibrate, tag anchors, calibrate again, compare with the truth."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from psycopg import sql

from thetaline import db
from thetaline.errors import InputError, JobError
from thetaline.jobs.anchors import tagging
from thetaline.jobs.anchors.selection import AnchorCriteria
from thetaline.jobs.calibration import nightly_fit
from thetaline.jobs.command_line import print_message, run_app
from thetaline.jobs.demo import files, indicators, summary
from thetaline.jobs.demo.environment import add_surroundings
from thetaline.jobs.demo.recovery import Window
from thetaline.jobs.demo.school import Answers, Plan, Truth, simulate
from thetaline.jobs.importing import ParseOptions, import_file
from thetaline.jobs.runner import JobContext, Outcome, Summary, run_job
from thetaline.masking import mask_text

LOOKBACK_DAYS = 30
ANCHORS = 50

app = typer.Typer(add_completion=False)
_SQL = db.sql("jobs/demo/demo.sql")


@app.command()
def demo(
    learners: Annotated[int, typer.Option(min=100, max=20_000, help="Learners of the simulated school.")] = 500,
    fresh: Annotated[bool, typer.Option("--fresh", help="Clear the demo's database first.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Write into a database that holds other answers.")] = False,
) -> None:
    """Show the whole line on a simulated school: 12 weeks of answers that end yesterday, with known truth.

    Writes into DATABASE_URL, or into the embedded database; one with other answers is refused.
    """
    work_ = partial(work, plan=Plan(learners=learners), fresh=fresh, yes=yes)
    raise typer.Exit(run_job("demo", work_, for_people=True))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.demo`."""
    return run_app(app, argv, "thetaline demo")


def work(context: JobContext, *, plan: Plan, fresh: bool = False, yes: bool = False) -> Summary:
    """The whole demo. Raises InputError for a database that it should not write into."""
    started = time.monotonic()
    found = _admit(context, fresh=fresh, yes=yes)
    if found["demo_sittings"] and found["published_runs"] >= 2 and not fresh:
        print_message(summary.already_there(found, _place(context)))
        return {"status": Outcome.ALREADY_DONE, "answers": found["answers"], "runs": found["published_runs"]}
    folder = context.settings.data_folder / "demo"
    school = _school(context, folder, plan, begun=bool(found["demo_sittings"]) and not fresh)
    truth, answers = simulate(school.plan)
    imported = _import(context, files.write(folder, school, truth, answers), school, truth)
    run_id = _calibrate_twice(context, school)
    first, latest = _windows(school, truth, answers)
    findings = summary.find(context.conn, run_id, first=first, latest=latest)
    growth = _indicators(context, school, truth)
    print_message(indicators.in_words(growth))
    print_message(summary.in_words(findings, elapsed=time.monotonic() - started))
    return {**findings.as_json(), **growth.as_json(), "answers": imported["answers"]}


def _admit(context: JobContext, *, fresh: bool, yes: bool) -> dict[str, Any]:
    """What is there, cleared first if `fresh`; refuses to mix with other answers unless told to."""
    if context.dry_run:
        raise InputError("DRY_RUN is set, and the demo writes; unset it")
    found = summary.contents(context.conn, files.ANSWERS)
    others = found["other_sittings"]
    if others and fresh:
        raise InputError(
            f"{_place(context)} holds {others:,} results that are not the demo's; --fresh would delete them"
        )
    if others and not yes:
        raise InputError(
            f"{_place(context)} holds {others:,} results that are not the demo's; "
            "name another database by DATABASE_URL, or add --yes to write the demo's answers beside them"
        )
    print_message(f"The demo writes into {_place(context)}.")
    if fresh:
        clear(context.conn)
    return found


def clear(conn: psycopg.Connection[Any]) -> None:
    """Empty all our tables."""
    conn.execute("truncate exam_results")  # first and alone: its trigger empties what is derived from it
    tables = [row[0] for row in conn.execute(_SQL["our_other_tables"])]
    conn.execute(sql.SQL("truncate {} restart identity").format(sql.SQL(", ").join(map(sql.SQL, tables))))
    conn.commit()


def _school(context: JobContext, folder: Path, plan: Plan, *, begun: bool) -> files.School:
    """A new school that ends yesterday; the one on file when a demo was begun and not finished."""
    kept = files.read(folder) if begun else None
    return kept or files.School(plan, context.as_of - timedelta(weeks=plan.weeks))


def _import(context: JobContext, path: Path, school: files.School, truth: Truth) -> Summary:
    print_message("1. Twelve weeks of a simulated school go in through `thetaline import`.")
    imported = import_file(context, path, chosen={}, options=ParseOptions())
    add_surroundings(context.conn, school.plan, truth, context.as_of)
    context.conn.commit()
    return imported


def _calibrate_twice(context: JobContext, school: files.School) -> str:
    """The first month, whose items give the anchors; then the last, linked to them. Returns the last run."""
    settings = context.settings.model_copy(
        update={"mirt_lookback_days": LOOKBACK_DAYS, "mirt_model": "2PL", "mirt_max_obs": 0, "r_irt_base_url": None}
    )
    early = replace(context, settings=settings, as_of=school.first_day + timedelta(days=LOOKBACK_DAYS))
    late = replace(context, settings=settings, as_of=school.first_day + timedelta(weeks=school.plan.weeks))
    print_message("2. The first month is calibrated: its learners are N(0, 1) and set the scale.")
    _run(early)
    print_message("3. Items over the whole range of difficulty become anchors, their parameters frozen.")
    tagging.tag_work(early, criteria=AnchorCriteria(count=ANCHORS, min_answers=30, a_min=0.5, a_max=3.0, max_move=0.5))
    context.conn.commit()
    print_message(
        "4. The last month is calibrated and linked to the anchors: tonight's run, as the nightly job does it."
    )
    return _run(replace(late, now=datetime.now(UTC)))  # later than the first, so that "newest" is this one


def _indicators(context: JobContext, school: files.School, truth: Truth) -> indicators.Growth:
    print_message("5. The night goes on: drift of items, θ of learners and topics, daily features, weekly indicators.")
    last = replace(context, as_of=school.first_day + timedelta(weeks=school.plan.weeks), now=datetime.now(UTC))
    indicators.run(last)
    return indicators.find(last, truth, weeks=school.plan.weeks)


def _run(context: JobContext) -> str:
    result = nightly_fit.work(context)
    context.conn.commit()
    if "run_id" not in result:
        raise JobError(f"the calibration of {context.as_of} gave no run: {dict(result)}")
    return str(result["run_id"])


def _windows(school: files.School, truth: Truth, answers: Answers) -> tuple[Window, Window]:
    first = Window(truth, answers, 0.0, LOOKBACK_DAYS / 7)
    return first, Window(truth, answers, school.plan.weeks - LOOKBACK_DAYS / 7, school.plan.weeks)


def _place(context: JobContext) -> str:
    if context.settings.database_url:
        return mask_text(context.settings.database_url)
    return f"the embedded database ({context.settings.database_folder})"
