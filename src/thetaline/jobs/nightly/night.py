"""The night: every stage in its order, for a date or each date of a range; a second start goes on where one failed."""

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated

import psycopg
import typer

from thetaline import db, logs
from thetaline.db import ledger
from thetaline.errors import InputError, JobError, ThetalineError
from thetaline.jobs.abilities import snapshot
from thetaline.jobs.calibration import nightly_fit
from thetaline.jobs.calibration.publication import JOB as CALIBRATE
from thetaline.jobs.drift import check
from thetaline.jobs.features import backfill
from thetaline.jobs.kpis import compute
from thetaline.jobs.runner import (
    DateOption,
    DryRunOption,
    JobContext,
    Summary,
    carrying,
    fault_line,
    parse_since,
    run_app,
    run_job,
    tell,
)
from thetaline.jobs.stage import Ended, Progress, Stage, StageResult, is_fresh, selected

JOB = "nightly"
SQL = db.sql("jobs/nightly/night.sql")
STAGES = (
    Stage(CALIBRATE, nightly_fit.work, work_again=partial(nightly_fit.work, again=True)),
    Stage(check.JOB, check.work, (CALIBRATE,)),
    Stage(snapshot.JOB, snapshot.work, (CALIBRATE,)),
    Stage(backfill.JOB, backfill.work, (snapshot.JOB,)),
    Stage(compute.JOB, compute.work, (backfill.JOB,)),
)
Told = list[dict[str, object]]  # the stages of a night, for the summary line and the ledger

log = logs.get_logger(__name__)
app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Wishes:
    """Which stages of which nights; `again`: though they have succeeded, `anyway`: though one before has not."""

    stages: Sequence[Stage] = field(default=STAGES)
    since: dt.date | None = None
    again: bool = False
    anyway: bool = False


@app.command()
def nightly(
    date: DateOption = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="YYYY-MM-DD", help="First of a range of dates that ends with --date."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="STAGE", help="Run this stage and those after it.")
    ] = None,
    only: Annotated[str | None, typer.Option("--only", metavar="STAGE", help="Run this stage alone.")] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="With --from or --only: though the stage before did not succeed that date.")
    ] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Run the night: calibrate, look for drift, snapshot θ, daily features, weekly indicators.

    What has succeeded for the date is not run again, unless --from or --only names it.
    """
    job = partial(work, since=since, start=start, only=only, anyway=anyway)
    raise typer.Exit(run_job(JOB, job, date=date, dry_run=dry_run, writes_temp=True))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.nightly`."""
    return run_app(app, argv, "thetaline nightly")


def work(
    context: JobContext,
    *,
    since: str | None = None,
    start: str | None = None,
    only: str | None = None,
    anyway: bool = False,
    stages: Sequence[Stage] = STAGES,
) -> Summary:
    """Every date in its order, stopping at the first that fails; raises what its stage raised, with what was done."""
    wishes = Wishes(
        stages=selected(stages, start=start, only=only),
        since=parse_since(since, last=context.as_of) if since else None,
        again=bool(start or only),
        anyway=anyway,
    )
    started = time.monotonic()
    nights: list[dict[str, object]] = []
    summary: dict[str, object] = {}
    with carrying(summary):
        for day in _days(wishes.since or context.as_of, context.as_of):
            told: Told = []
            nights.append({"date": str(day), "stages": told})
            summary.update({"nights": nights} if since else {"stages": told})
            now = context.now + dt.timedelta(seconds=time.monotonic() - started)
            _night(replace(context, as_of=day, now=now), wishes, told)
    return summary


def _days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    return (first + dt.timedelta(days=number) for number in range((last - first).days + 1))


def _night(context: JobContext, wishes: Wishes, told: Told) -> None:
    """One date, its stages added to `told` as they end; in the ledger unless it is a dry run.

    Raises the first stage's error after the table is shown.
    """
    with _in_ledger(context, told):
        results = _run_stages(context, wishes, told)
        _show(context.as_of, results)
        _raise_first(results)


def _in_ledger(context: JobContext, told: Told) -> AbstractContextManager[object]:
    if context.dry_run:
        return nullcontext()
    return ledger.open_run(context.url, JOB, as_of=context.as_of, now=context.now, summary={"stages": told})


def _run_stages(context: JobContext, wishes: Wishes, told: Told) -> list[StageResult]:
    progress = Progress(_succeeded(context, wishes.stages))
    results: list[StageResult] = []
    started = time.monotonic()
    for stage in wishes.stages:
        now = context.now + dt.timedelta(seconds=time.monotonic() - started)
        inside = replace(context, name=stage.name, now=now)
        results.append(_left_out(stage, wishes, progress, results) or _run(inside, stage, wishes, progress))
        told.append(results[-1].as_json())
    return results


def _succeeded(context: JobContext, stages: Sequence[Stage]) -> dict[str, dt.datetime]:
    """When the stages, and what they need, last succeeded for the date."""
    jobs = sorted({name for stage in stages for name in (stage.name, *stage.needs)})
    rows = context.conn.execute(SQL["succeeded"], {"as_of": context.as_of, "jobs": jobs}).fetchall()
    context.conn.rollback()
    return dict(rows)


def _left_out(stage: Stage, wishes: Wishes, progress: Progress, results: Sequence[StageResult]) -> StageResult | None:
    """The result of a stage that cannot run, or need not."""
    lacking = [] if wishes.anyway else progress.lacking(stage)
    if lacking:
        return _blocked(stage, lacking, results)
    if is_fresh(stage, progress.finished) and not wishes.again:
        return StageResult(stage.name, Ended.ALREADY)
    return None


def _blocked(stage: Stage, lacking: Sequence[str], results: Sequence[StageResult]) -> StageResult:
    names = ", ".join(lacking)
    if any(result.stage in lacking for result in results):
        return StageResult(stage.name, Ended.BLOCKED, reason=f"needs {names}, which did not succeed")
    message = f"{stage.name} needs {names}, which has not succeeded for this date; run it first, or add --anyway"
    return StageResult(stage.name, Ended.BLOCKED, error=JobError(message))


def _run(context: JobContext, stage: Stage, wishes: Wishes, progress: Progress) -> StageResult:
    """One stage in its own transaction: an outermost edge, whose every error is the stage's result."""
    log.info("stage started", stage=stage.name, date=str(context.as_of))
    started = time.monotonic()
    work_of_stage = (stage.work_again if wishes.again else None) or stage.work
    try:
        summary = work_of_stage(context)
        context.settle()
        result = StageResult(stage.name, Ended.DONE, summary=summary)
    except Exception as error:  # noqa: BLE001  the edge of the stage: those that do not need it still run
        result = _unsuccessful(context, stage, error, progress.awaited(stage))
    seconds = time.monotonic() - started
    progress.record(result, at=context.now + dt.timedelta(seconds=seconds), dry_run=context.dry_run)
    return replace(result, seconds=seconds)


def _unsuccessful(context: JobContext, stage: Stage, error: Exception, awaited: Sequence[str]) -> StageResult:
    """Failed; or blocked, where a dry run lacks what the stages before would have written."""
    with suppress(psycopg.Error):  # of a connection that is gone, whose transaction the server rolled back
        context.conn.rollback()
    if awaited and isinstance(error, (JobError, InputError)):
        log.info("stage blocked", stage=stage.name, awaited=awaited, error=str(error))
        return StageResult(stage.name, Ended.BLOCKED, reason=f"needs what {', '.join(awaited)} would write: {error}")
    return StageResult(stage.name, Ended.FAILED, error=_as_ours(error, context))


def _as_ours(error: Exception, context: JobContext) -> ThetalineError:
    if isinstance(error, ThetalineError):
        return error
    if isinstance(error, psycopg.Error):
        return db.explained(error, context.url)
    return JobError(fault_line(error, job=context.name))


def _raise_first(results: Sequence[StageResult]) -> None:
    for result in results:
        if result.error is not None:
            raise result.error


def _show(as_of: dt.date, results: Sequence[StageResult]) -> None:
    """The table for people."""
    tell(f"night of {as_of}")
    for one in results:
        tell(f"  {one.stage:<20} {one.ended:<13} {one.seconds:8.1f} s  {_in_short(one)}".rstrip())


def _in_short(result: StageResult) -> str:
    if result.ended in (Ended.FAILED, Ended.BLOCKED):
        return str(result.error or result.reason)
    counts = {key: value for key, value in (result.summary or {}).items() if type(value) is int and value}
    return ", ".join(f"{key} {value:,}" for key, value in list(counts.items())[:4])
