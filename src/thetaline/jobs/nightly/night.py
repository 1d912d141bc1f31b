"""The night: every stage in its order, for a date or each date of a range; called again, it goes on where it failed."""

import datetime as dt
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated

import psycopg
import typer

from thetaline import db, logs
from thetaline.db import ledger
from thetaline.errors import InputError, JobError, LockedError, ThetalineError
from thetaline.jobs.abilities import snapshot, weekly
from thetaline.jobs.calibration import nightly_fit
from thetaline.jobs.calibration.publication import JOB as CALIBRATE
from thetaline.jobs.churn import hazard
from thetaline.jobs.command_line import DateOption, DryRunOption, parse_since, print_message, run_app
from thetaline.jobs.drift import check
from thetaline.jobs.features import backfill
from thetaline.jobs.forecast import weekly as forecast
from thetaline.jobs.growth import lines, mixed
from thetaline.jobs.kpis import compute
from thetaline.jobs.nightly.missed import missed_nights
from thetaline.jobs.reports.keys import JOB as REPORTS
from thetaline.jobs.reports.stage import work as make_reports
from thetaline.jobs.runner import JobContext, Summary, run_job, summary_on_error, unexpected_error_text
from thetaline.jobs.segments import cluster
from thetaline.jobs.stage import NightProgress, Stage, StageResult, StageStatus, is_up_to_date, select_stages
from thetaline.learning.school_calendar import DAY

JOB = "nightly"
SQL = db.sql("jobs/nightly/night.sql")
STAGES = (
    Stage(CALIBRATE, nightly_fit.work, work_again=partial(nightly_fit.work, again=True)),
    Stage(check.JOB, check.work, (CALIBRATE,)),
    Stage(snapshot.JOB, snapshot.work, (CALIBRATE,)),
    Stage(backfill.JOB, backfill.work, (snapshot.JOB,)),
    Stage(compute.JOB, compute.work, (backfill.JOB,)),
    Stage(weekly.JOB, weekly.work, comes_after=(compute.JOB,), weekly=True),
    Stage(mixed.JOB, mixed.work, (weekly.JOB,), weekly=True),
    Stage(lines.JOB, lines.work, comes_after=(compute.JOB,), weekly=True),
    Stage(hazard.JOB, hazard.work, comes_after=(compute.JOB,), weekly=True),
    Stage(cluster.JOB, cluster.work, comes_after=(compute.JOB, mixed.JOB), weekly=True),
    Stage(forecast.JOB, forecast.work, (weekly.JOB,), comes_after=(compute.JOB,), weekly=True),
    Stage(REPORTS, make_reports, comes_after=(weekly.JOB, lines.JOB), weekly=True),
)
StageLog = list[dict[str, object]]  # the stages of a night, for the summary line and the ledger

log = logs.get_logger(__name__)
app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class NightOptions:
    """Which stages; `again`: also those that have succeeded, `anyway`: also those that lack a need."""

    stages: Sequence[Stage] = field(default=STAGES)
    again: bool = False
    anyway: bool = False


@dataclass(frozen=True, slots=True)
class NightPlan:
    """The dates, oldest first, and the missed ones that are only named; `go_on`: past a date that fails."""

    days: Sequence[dt.date]
    left_out: Sequence[dt.date] = ()
    go_on: bool = False


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
    """Run the night: calibrate, check for drift, snapshot θ, daily features, weekly KPIs; growth once a week.

    What has succeeded for the date is not run again, unless --from or --only names it. Without a date, the days since
    the last complete night are made up first, at most the last seven.
    """
    job = partial(work, since=since, start=start, only=only, anyway=anyway, catch_up=date is None)
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
    catch_up: bool = False,
    stages: Sequence[Stage] = STAGES,
) -> Summary:
    """Every date in order; raises what its stage raised, with the summary so far.

    The first date of a range that fails is the last. One that `catch_up` makes up does not keep the later ones from
    their night; its error is raised after them.
    """
    again = bool(start or only)
    options = NightOptions(stages=select_stages(stages, start=start, only=only), again=again, anyway=anyway)
    if since:
        plan = NightPlan(_days(parse_since(since, last=context.as_of), context.as_of))
    elif catch_up and not again:
        plan = _with_missed(context, stages)
    else:
        plan = NightPlan([context.as_of])
    summary: dict[str, object] = {"nights_left_out": list(map(str, plan.left_out))} if plan.left_out else {}
    with summary_on_error(summary):
        _run_nights(context, plan, options, summary)
    return summary


def _days(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def _with_missed(context: JobContext, stages: Sequence[Stage]) -> NightPlan:
    """The date after the nights that are missing, which the log names; what runs once a week makes none missing."""
    jobs = [stage.name for stage in stages if not stage.weekly]
    missed = missed_nights(context.conn, context.calendar, before=context.as_of, jobs=jobs)
    context.conn.rollback()
    if missed.to_make_up:
        log.warning("missed nights are made up", days=list(map(str, missed.to_make_up)))
    if missed.left_out:
        first, last = missed.left_out[0], missed.left_out[-1]
        log.warning("missed nights are left out", days=len(missed.left_out), hint=f"--since {first} --date {last}")
    return NightPlan([*missed.to_make_up, context.as_of], missed.left_out, go_on=True)


def _run_nights(context: JobContext, plan: NightPlan, options: NightOptions, summary: dict[str, object]) -> None:
    """Each night of the plan, added to `summary` when it begins."""
    started = time.monotonic()
    nights: list[dict[str, object]] = []
    failed: ThetalineError | None = None
    for day in plan.days:
        stage_log: StageLog = []
        nights.append({"date": str(day), "stages": stage_log})
        summary.update({"nights": nights} if len(plan.days) > 1 else {"stages": stage_log})
        now = context.now + dt.timedelta(seconds=time.monotonic() - started)
        try:
            _night(replace(context, as_of=day, now=now), options, stage_log)
        except ThetalineError as error:
            if not plan.go_on or day == plan.days[-1] or isinstance(error, LockedError):
                raise
            failed = failed or error
    if failed:
        raise failed


def _night(context: JobContext, options: NightOptions, stage_log: StageLog) -> None:
    """One date, each stage added to `stage_log` when it ends; in the ledger unless it is a dry run.

    Raises the first stage's error after the table is printed.
    """
    with _in_ledger(context, stage_log):
        results = _run_stages(context, options, stage_log)
        _print_table(context.as_of, results)
        _raise_first(results)


def _in_ledger(context: JobContext, stage_log: StageLog) -> AbstractContextManager[object]:
    if context.dry_run:
        return nullcontext()
    return ledger.open_run(context.url, JOB, as_of=context.as_of, now=context.now, summary={"stages": stage_log})


def _run_stages(context: JobContext, options: NightOptions, stage_log: StageLog) -> list[StageResult]:
    progress = NightProgress(_succeeded(context, options.stages))
    results: list[StageResult] = []
    started = time.monotonic()
    for stage in options.stages:
        now = context.now + dt.timedelta(seconds=time.monotonic() - started)
        inside = replace(context, name=stage.name, as_of=stage.date_in(context.as_of), now=now)
        results.append(_skipped(stage, options, progress, results) or _run(inside, stage, options, progress))
        stage_log.append(results[-1].as_json())
    return results


def _succeeded(context: JobContext, stages: Sequence[Stage]) -> dict[str, dt.datetime]:
    """When the stages, and what they need, last succeeded for their date, by a run that began when it was over."""
    dates = {stage.name: stage.date_in(context.as_of) for stage in (*STAGES, *stages)}
    jobs = sorted({name for stage in stages for name in (stage.name, *stage.all_needs)})
    days = [dates.get(job, context.as_of) for job in jobs]
    over_at = [context.calendar.start_of(day + DAY) for day in days]
    rows = context.conn.execute(SQL["succeeded"], {"jobs": jobs, "days": days, "over_at": over_at}).fetchall()
    context.conn.rollback()
    return dict(rows)


def _skipped(
    stage: Stage, options: NightOptions, progress: NightProgress, results: Sequence[StageResult]
) -> StageResult | None:
    """The result of a stage that cannot run, or need not run."""
    is_done = is_up_to_date(stage, progress.finished) and not options.again
    if stage.weekly and is_done:  # whatever became of this night
        return StageResult(stage.name, StageStatus.ALREADY)
    missing = [] if options.anyway else progress.missing_needs(stage)
    if missing:
        return _blocked(stage, missing, results)
    return StageResult(stage.name, StageStatus.ALREADY) if is_done else None


def _blocked(stage: Stage, missing: Sequence[str], results: Sequence[StageResult]) -> StageResult:
    names = ", ".join(missing)
    if any(result.stage in missing for result in results):
        return StageResult(stage.name, StageStatus.BLOCKED, reason=f"needs {names}, which did not succeed")
    message = f"{stage.name} needs {names}, which has not succeeded for this date; run it first, or add --anyway"
    return StageResult(stage.name, StageStatus.BLOCKED, error=JobError(message))


def _run(context: JobContext, stage: Stage, options: NightOptions, progress: NightProgress) -> StageResult:
    """One stage in its own transaction: an outermost edge, whose every error is the stage's result."""
    log.info("stage started", stage=stage.name, date=str(context.as_of))
    started = time.monotonic()
    work_of_stage = (stage.work_again if options.again else None) or stage.work
    try:
        summary = work_of_stage(context)
        context.commit_or_roll_back()
        result = StageResult(stage.name, StageStatus.DONE, summary=summary)
    except Exception as error:  # noqa: BLE001  the edge of the stage: stages that do not need it still run
        result = _unsuccessful(context, stage, error, progress.unwritten_needs(stage))
    seconds = time.monotonic() - started
    progress.record(result, at=context.now + dt.timedelta(seconds=seconds), dry_run=context.dry_run)
    return replace(result, seconds=seconds)


def _unsuccessful(context: JobContext, stage: Stage, error: Exception, unwritten: Sequence[str]) -> StageResult:
    """Failed; or blocked, where a dry run lacks the rows that the stages before would have written."""
    with suppress(psycopg.Error):  # the connection is gone, and the server rolled back
        context.conn.rollback()
    if unwritten and isinstance(error, (JobError, InputError)):
        log.info("stage blocked", stage=stage.name, unwritten=unwritten, error=str(error))
        return StageResult(
            stage.name, StageStatus.BLOCKED, reason=f"needs what {', '.join(unwritten)} would write: {error}"
        )
    return StageResult(stage.name, StageStatus.FAILED, error=_own_error(error, context))


def _own_error(error: Exception, context: JobContext) -> ThetalineError:
    if isinstance(error, ThetalineError):
        return error
    if isinstance(error, psycopg.Error):
        return db.explained(error, context.url)
    return JobError(unexpected_error_text(error, job=context.name))


def _raise_first(results: Sequence[StageResult]) -> None:
    for result in results:
        if result.error is not None:
            raise result.error


def _print_table(as_of: dt.date, results: Sequence[StageResult]) -> None:
    """The table for people."""
    print_message(f"night of {as_of}")
    for one in results:
        print_message(f"  {one.stage:<20} {one.status:<13} {one.seconds:8.1f} s  {_short_text(one)}".rstrip())


def _short_text(result: StageResult) -> str:
    if result.status in (StageStatus.FAILED, StageStatus.BLOCKED):
        return str(result.error or result.reason)
    counts = {key: value for key, value in (result.summary or {}).items() if type(value) is int and value}
    return ", ".join(f"{key} {value:,}" for key, value in list(counts.items())[:4])
