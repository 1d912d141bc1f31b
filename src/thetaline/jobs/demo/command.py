"""`thetaline demo`: its options, and whether it begins, goes on or is complete."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import psycopg
import typer

from thetaline import db
from thetaline.db import ledger
from thetaline.errors import InputError
from thetaline.jobs.command_line import print_message, run_app
from thetaline.jobs.demo import files, summary
from thetaline.jobs.demo.clearing import clear
from thetaline.jobs.demo.school import SchoolPlan
from thetaline.jobs.demo.steps import run_steps
from thetaline.jobs.runner import JobContext, Outcome, Summary, run_job
from thetaline.masking import mask_text

JOB = "demo"

app = typer.Typer(add_completion=False)
_SQL = db.sql("jobs/demo/demo.sql")


@app.command()
def demo(
    learners: Annotated[int, typer.Option(min=100, max=20_000, help="Learners of the simulated school.")] = 500,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Empty our tables first; refused where a row is not the demo's.")
    ] = False,
    confirm: Annotated[
        str | None,
        typer.Option(
            "--confirm", metavar="NAME", help="With --fresh: the name of the database, in place of typing it."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write into a database that holds other answers.")] = False,
) -> None:
    """Show the whole line on a simulated school: 12 weeks of answers that end yesterday, with known truth.

    Writes into DATABASE_URL, or into the embedded database; one with other answers is refused. A demo that was
    interrupted goes on where it stopped.
    """
    work_ = partial(work, plan=SchoolPlan(learners=learners), fresh=fresh, confirmed=confirm, yes=yes)
    raise typer.Exit(run_job(JOB, work_, for_people=True))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.demo`."""
    return run_app(app, argv, "thetaline demo")


def work(
    context: JobContext, *, plan: SchoolPlan, fresh: bool = False, confirmed: str | None = None, yes: bool = False
) -> Summary:
    """The whole demo. Raises InputError for a database that it should not write into or clear."""
    if context.dry_run:
        raise InputError("DRY_RUN is set, and the demo writes; unset it")
    with ledger.hold_job(context.url, JOB) as held:
        if fresh:
            clear(context, place=_place(context), confirmed=confirmed)
        found = _contents(context, yes=yes)
        state, begun = _newest_demo(context.conn) if found["demo_results"] else (None, None)
        if state == ledger.RunState.DONE:
            print_message(summary.complete_text(found, _place(context), context.calendar))
            return {"status": Outcome.ALREADY_DONE, "answers": found["answers"], "runs": found["published_runs"]}
        return _run(context, held, begun or files.School.ending(context.as_of, plan))


def _contents(context: JobContext, *, yes: bool) -> dict[str, Any]:
    """What the database holds. Raises InputError for other answers, unless `yes`."""
    found = summary.contents(context.conn, files.ANSWERS)
    others = found["other_results"]
    if others and not yes:
        raise InputError(
            f"{_place(context)} holds {others:,} results that are not the demo's; "
            "name another database by DATABASE_URL, or add --yes to write the demo's answers beside them"
        )
    return found


def _newest_demo(conn: psycopg.Connection[Any]) -> tuple[ledger.RunState, files.School]:
    """How the newest run of the demo ended, and the school that it wrote."""
    row = conn.execute(_SQL["newest_demo"]).fetchone()
    if row is None:
        raise InputError(
            "the database holds answers of a demo that the ledger does not know; add --fresh to begin anew"
        )
    return ledger.RunState(row[0]), files.School.from_settings(row[1])


def _run(context: JobContext, held: ledger.HeldJob, school: files.School) -> Summary:
    context.conn.commit()
    recorded: dict[str, object] = {}
    settings = school.as_settings()
    with ledger.record_run(held, as_of=context.as_of, now=context.now, settings=settings, summary=recorded):
        print_message(f"The demo writes into {_place(context)}.")
        found = run_steps(context, school)
        recorded["calibration"] = found["run_id"]
    return found


def _place(context: JobContext) -> str:
    if context.settings.database_url:
        return mask_text(context.settings.database_url)
    return f"the embedded database ({context.settings.database_folder})"
