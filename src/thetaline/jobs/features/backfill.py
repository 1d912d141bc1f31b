"""The job that computes the daily features of the last days, or of a range of days."""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from thetaline.db import ledger
from thetaline.jobs.command_line import DateOption, DryRunOption, parse_since, run_app
from thetaline.jobs.features.topic_daily import FeatureCounts, backfill_features_topic_daily, backfill_user_topic_range
from thetaline.jobs.runner import JobContext, Summary, run_job

JOB = "backfill_features"
app = typer.Typer(add_completion=False)


@app.command()
def backfill(
    date: DateOption = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="YYYY-MM-DD", help="First day; default: AGG_LOOKBACK_DAYS back.")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", help="One learner only.")] = None,
    idle_days: Annotated[bool, typer.Option("--idle-days", help="Also rows for days without activity.")] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Refresh attempts, times, hints and θ of each user, topic and day."""
    job = partial(work, since=since, user_id=user, idle_days=idle_days)
    raise typer.Exit(run_job(JOB, job, date=date, dry_run=dry_run, writes_temp=True))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.backfill_features`."""
    return run_app(app, argv, "thetaline features")


def work(
    context: JobContext, *, since: str | None = None, user_id: str | None = None, idle_days: bool = False
) -> Summary:
    """The days up to the date; a dry run writes them and rolls back, so that its counts are exact."""
    start = context.as_of - dt.timedelta(days=context.settings.agg_lookback_days - 1)
    if since is not None:
        start = parse_since(since, last=context.as_of)
    if context.dry_run or user_id is not None:  # the ledger has runs over all learners only
        return _summary(context, start, _backfill(context, start, user_id, idle_days), None)
    with ledger.open_run(context.url, JOB, as_of=context.as_of, now=context.now) as run:
        counts = _backfill(context, start, user_id, idle_days)
        summary = _summary(context, start, counts, run.run_id)
        ledger.close_run(context.conn, run.run_id, ledger.RunState.DONE, summary=summary)
        context.conn.commit()
    return summary


def _backfill(context: JobContext, start: dt.date, user_id: str | None, idle_days: bool) -> FeatureCounts:
    of_whom = partial(backfill_user_topic_range, user_id=user_id) if user_id else backfill_features_topic_daily
    return of_whom(
        context.conn,
        start=start,
        end=context.as_of,
        now=context.now,
        with_theta=context.settings.agg_include_theta,
        idle_days=idle_days,
        calendar=context.calendar,
    )


def _summary(context: JobContext, start: dt.date, counts: FeatureCounts, run_id: str | None) -> dict[str, object]:
    return {
        "run_id": run_id,
        "from": str(start),
        "to": str(context.as_of),
        "rows": counts.days,
        "rows_vanished": counts.vanished,
        "rows_idle": counts.idle,
        "with_theta": context.settings.agg_include_theta,
    }
