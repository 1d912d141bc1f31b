"""The job that estimates θ of each learner in each of the last weeks, from that week's first answers alone.

All weeks of a run are scored on the same published items, so that neither a new calibration nor a shared answer looks
like growth. The newest week is the last that is over.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Annotated

import numpy as np
import typer

from thetaline import db, logs
from thetaline.db import ledger
from thetaline.db.bulk import copy_rows
from thetaline.jobs.abilities.answers import read_all_answers
from thetaline.jobs.abilities.estimates import lock_items
from thetaline.jobs.abilities.item_bank import ItemBank, load_item_bank
from thetaline.jobs.abilities.scoring import theta_without_prior
from thetaline.jobs.arrays import Array, Int32s
from thetaline.jobs.command_line import DateOption, DryRunOption, parse_since, run_app
from thetaline.jobs.runner import JobContext, Outcome, Summary, run_job
from thetaline.learning.windows import last_week_end, monday, week_window

JOB = "weekly_theta"
WEEK = timedelta(weeks=1)
SQL = db.sql("jobs/abilities/weekly.sql")
log = logs.get_logger(__name__)
app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True, eq=False)
class WeekEstimates:
    """Warm's estimates of the learners who answered in one week; n is the number of answers behind each."""

    week: date
    learner_no: Int32s
    theta: Array
    se: Array
    n: Int32s


@app.command()
def weekly(
    date: DateOption = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="YYYY-MM-DD", help="From the week of this date on, in place of the last 12."),
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Estimate θ of every learner in each of the last GLMM_LOOKBACK_WEEKS weeks that are over with a date."""
    raise typer.Exit(run_job(JOB, partial(work, since=since), date=date, dry_run=dry_run))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.weekly_theta`."""
    return run_app(app, argv, "thetaline weekly-theta")


def work(context: JobContext, *, since: str | None = None) -> Summary:
    """One run over all weeks; where a published one has the same items and answers, nothing is written."""
    last = last_week_end(context.as_of)
    first = _first_week(context, last, since)
    if context.dry_run:
        return _estimate(context, first, last)[1]
    with ledger.open_run(context.url, JOB, as_of=last, now=context.now, settings={"first_week": str(first)}) as run:
        weeks, summary = _estimate(context, first, last)
        values = {"as_of": last, "fingerprint": summary["fingerprint"]}
        same = context.conn.execute(SQL["same_run"], values).fetchone()
        if same is None:
            _append(context, run.run_id, weeks, model=str(summary["model"]))
        state = ledger.RunState.PUBLISHED if same is None else ledger.RunState.DONE
        ledger.close_run(context.conn, run.run_id, state, summary=summary | ({"same_as": same[0]} if same else {}))
        context.conn.commit()  # before the ledger's own connection looks whether the run is still open
    log.info("weekly theta", **summary)
    done = {"run_id": run.run_id} if same is None else {"run_id": same[0], "status": Outcome.ALREADY_DONE}
    return {**done, **summary}


def _first_week(context: JobContext, last: date, since: str | None) -> date:
    if since:
        return monday(parse_since(since, last=last))
    return monday(last) - (context.settings.glmm_lookback_weeks - 1) * WEEK


def _estimate(context: JobContext, first: date, last: date) -> tuple[list[WeekEstimates], dict[str, object]]:
    """Week by week, so that memory holds the answers of one."""
    bank = load_item_bank(context.conn, last)
    if not context.dry_run:
        lock_items(context.conn, bank.run_id)
    weeks = [_week(context, bank, first + number * WEEK) for number in range((last - first).days // 7 + 1)]
    summary: dict[str, object] = {
        "items_run": bank.run_id,
        "model": bank.model,
        "weeks": [str(first), str(monday(last))],
        "n_estimates": sum(one.theta.size for one in weeks),
        "n_answers": sum(int(one.n.sum()) for one in weeks),
        "fingerprint": _fingerprint(bank, weeks),
    }
    return weeks, summary


def _week(context: JobContext, bank: ItemBank, week: date) -> WeekEstimates:
    answers = read_all_answers(context.url, week_window(week), context.calendar)
    found = theta_without_prior(answers.first_known(), bank)
    learner_no = answers.learner_no[found.learner]
    return WeekEstimates(week, learner_no, found.theta, found.se, found.n_answers.astype(np.int32))


def _fingerprint(bank: ItemBank, weeks: Sequence[WeekEstimates]) -> str:
    """Differs where an answer that counts, an item's parameters or the range of weeks does."""
    digest = hashlib.sha256(bank.run_id.encode())
    for one in weeks:
        digest.update(str(one.week).encode())
        for column in (one.learner_no, np.round(one.theta, 9), one.n):
            digest.update(column.tobytes())
    return digest.hexdigest()


def _append(context: JobContext, run_id: str, weeks: Sequence[WeekEstimates], *, model: str) -> None:
    columns = ["run_id", "week_start", "model", "fitted_at", "learner_no", "theta", "se", "n"]
    for one in weeks:
        if one.theta.size:
            shared = [run_id, str(one.week), model, context.now.isoformat()]
            copy_rows(context.conn, "weekly_ability", columns, [*shared, one.learner_no, one.theta, one.se, one.n])
