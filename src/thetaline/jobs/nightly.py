"""The night: every stage in its order, for a date or each date of a range; a second start goes on where one failed."""

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated

import psycopg
import typer

from thetaline import db, logs
from thetaline.db import ledger
from thetaline.errors import JobError, ThetalineError
from thetaline.jobs import (
    backfill_features,
    compute_daily_kpis,
    irt_drift,
    mirt_calibrate,
    snapshot_theta,
)
from thetaline.jobs.calibration.publication import JOB as CALIBRATE
from thetaline.jobs.chain import Ended, Stage, StageResult, is_fresh, missing, selected
from thetaline.jobs.entry import (
    DateOption,
    DryRunOption,
    JobContext,
    Summary,
    Work,
    parse_since,
    run_app,
    run_job,
    tell,
)

JOB = "nightly"
SQL = db.sql("jobs/nightly.sql")
STAGES = (
    Stage(CALIBRATE, mirt_calibrate.work, work_again=partial(mirt_calibrate.work, again=True)),
    Stage(irt_drift.JOB, irt_drift.work, (CALIBRATE,)),
    Stage(snapshot_theta.JOB, snapshot_theta.work, (CALIBRATE,)),
    Stage(backfill_features.JOB, backfill_features.work, (snapshot_theta.JOB,)),
    Stage(compute_daily_kpis.JOB, compute_daily_kpis.work, (backfill_features.JOB,)),
)

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
) -> Summary:
    """Every date in its order, stopping at the first that fails; raises what its stage raised."""
    wishes = Wishes(
        stages=selected(STAGES, start=start, only=only),
        since=parse_since(since, last=context.as_of) if since else None,
        again=bool(start or only),
        anyway=anyway,
    )
    started = time.monotonic()
    nights = []
    for day in _days(wishes.since or context.as_of, context.as_of):
        now = context.now + dt.timedelta(seconds=time.monotonic() - started)
        nights.append(_night(replace(context, as_of=day, now=now), wishes))
    return {"nights": nights} if since else {"stages": nights[0]}


def _days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    return (first + dt.timedelta(days=number) for number in range((last - first).days + 1))


def _night(context: JobContext, wishes: Wishes) -> list[dict[str, object]]:
    """One date; in the ledger unless it is a dry run. Raises the first stage's error after the table is shown."""
    if context.dry_run:
        return _told(context.as_of, _run_stages(context, wishes))
    with ledger.open_run(context.url, JOB, as_of=context.as_of, now=context.now) as run:
        results = _run_stages(context, wishes)
        if any(result.ended in (Ended.FAILED, Ended.BLOCKED) for result in results):
            _told(context.as_of, results)
            _raise_first(results)
        ledger.close_run(
            run.conn, run.run_id, ledger.State.DONE, summary={"stages": [one.as_json() for one in results]}
        )
    return _told(context.as_of, results)


def _run_stages(context: JobContext, wishes: Wishes) -> list[StageResult]:
    jobs = [stage.name for stage in STAGES]
    finished = dict(context.conn.execute(SQL["succeeded"], {"as_of": context.as_of, "jobs": jobs}).fetchall())
    context.conn.rollback()
    results: list[StageResult] = []
    started = time.monotonic()
    for stage in wishes.stages:
        now = context.now + dt.timedelta(seconds=time.monotonic() - started)
        lacking = [] if wishes.anyway or context.dry_run else missing(stage, finished)
        if lacking:
            results.append(_blocked(stage, lacking, results))
        elif is_fresh(stage, finished) and not wishes.again:
            results.append(StageResult(stage.name, Ended.ALREADY))
        else:
            again = stage.work_again if wishes.again else None
            results.append(_run(replace(context, name=stage.name, now=now), stage.name, again or stage.work))
            finished.pop(stage.name, None)
            if results[-1].ended is Ended.DONE:
                finished[stage.name] = now + dt.timedelta(seconds=results[-1].seconds)
    return results


def _run(context: JobContext, name: str, work_of_stage: Work) -> StageResult:
    """One stage in its own transaction; an error that a job may end with is its result, any other ends the night."""
    started = time.monotonic()
    log.info("stage started", stage=name, date=str(context.as_of))
    try:
        summary = work_of_stage(context)
    except (ThetalineError, psycopg.Error) as error:
        context.conn.rollback()
        return StageResult(name, Ended.FAILED, time.monotonic() - started, error=error)
    if context.dry_run:
        context.conn.rollback()
    else:
        context.conn.commit()
    return StageResult(name, Ended.DONE, time.monotonic() - started, summary)


def _blocked(stage: Stage, lacking: Sequence[str], results: Sequence[StageResult]) -> StageResult:
    names = ", ".join(lacking)
    if any(result.stage in lacking for result in results):
        return StageResult(stage.name, Ended.BLOCKED)
    message = f"{stage.name} needs {names}, which has not succeeded for this date; run it first, or add --anyway"
    return StageResult(stage.name, Ended.BLOCKED, error=JobError(message))


def _raise_first(results: Sequence[StageResult]) -> None:
    for result in results:
        if result.error is not None:
            raise result.error


def _told(as_of: dt.date, results: Sequence[StageResult]) -> list[dict[str, object]]:
    """The table for people; the same for machines."""
    tell(f"night of {as_of}")
    for one in results:
        tell(f"  {one.stage:<20} {one.ended:<13} {one.seconds:8.1f} s  {_in_short(one)}".rstrip())
    return [one.as_json() for one in results]


def _in_short(result: StageResult) -> str:
    if result.error is not None:
        return str(result.error)
    counts = {key: value for key, value in (result.summary or {}).items() if type(value) is int and value}
    return ", ".join(f"{key} {value:,}" for key, value in list(counts.items())[:4])


if __name__ == "__main__":
    raise SystemExit(main())
