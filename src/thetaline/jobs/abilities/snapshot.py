"""The job that estimates θ of all learners and topics for a day, and writes what changed."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import numpy as np
import typer

from thetaline import logs
from thetaline.db import ledger
from thetaline.jobs.abilities.answers import LearnerAnswers, read_all_answers
from thetaline.jobs.abilities.estimates import (
    Provenance,
    append_estimates,
    changed_learners,
    estimate,
    known_topic_sd,
    lock_items,
    theta_window,
)
from thetaline.jobs.abilities.item_bank import ItemBank, load_item_bank
from thetaline.jobs.abilities.scoring import TopicScale, fit_topic_sd
from thetaline.jobs.command_line import DateOption, DryRunOption, run_app
from thetaline.jobs.runner import JobContext, Summary, run_job

JOB = "snapshot_theta"
log = logs.get_logger(__name__)
app = typer.Typer(add_completion=False)


@app.command()
def snapshot(
    date: DateOption = None,
    dry_run: DryRunOption = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Write all learners, also those whose θ has not changed.")
    ] = False,
) -> None:
    """Estimate θ of every learner, and of each topic, from the answers of the window that ends with a date."""
    raise typer.Exit(run_job(JOB, partial(work, everything=everything), date=date, dry_run=dry_run))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.snapshot_theta`."""
    return run_app(app, argv, "thetaline snapshot")


def work(context: JobContext, *, everything: bool = False) -> Summary:
    """One snapshot; a dry run estimates and counts, and writes nothing."""
    if context.dry_run:
        return _estimate_and_write(context, run_id=None, everything=everything)
    settings = {"lookback_days": context.settings.mirt_lookback_days}
    with ledger.open_run(context.url, JOB, as_of=context.as_of, now=context.now, settings=settings) as run:
        return _estimate_and_write(context, run_id=run.run_id, everything=everything)


def _estimate_and_write(context: JobContext, *, run_id: str | None, everything: bool) -> Summary:
    bank = load_item_bank(context.conn, context.as_of)
    window = theta_window(context.as_of, context.settings.mirt_lookback_days)
    answers = read_all_answers(context.url, window, context.calendar)
    topic_sd = _topic_sd(context, answers, bank)
    estimates = estimate(answers, bank, TopicScale.of(bank, topic_sd))
    moved = (
        np.ones(answers.learner_no.size, bool)
        if everything
        else changed_learners(context.conn, estimates, bank.run_id, context.as_of)
    )
    fresh = estimates.where(moved)
    summary: dict[str, object] = {
        "items_run": bank.run_id,
        "topic_sd": topic_sd,
        "population": {"mean": bank.mean, "sd": bank.sd},
        "window": [str(window.first_day), str(window.last_day)],
        "n_answers": answers.n_answers,
        "n_learners": int(estimates.general.theta.size),
        "n_topic_estimates": int(estimates.topics.theta.size),
        "n_learners_written": int(fresh.general.theta.size),
        "n_topic_estimates_written": int(fresh.topics.theta.size),
    }
    if run_id is not None:
        lock_items(context.conn, bank.run_id)
        append_estimates(context.conn, fresh, Provenance(run_id, context.as_of, context.now, bank.model))
        ledger.close_run(context.conn, run_id, ledger.RunState.PUBLISHED, summary=summary)
        context.conn.commit()  # before the ledger's own connection looks whether the run is still open
    log.info("theta snapshot", **summary)
    return {"run_id": run_id, **summary}


def _topic_sd(context: JobContext, answers: LearnerAnswers, bank: ItemBank) -> float:
    known = known_topic_sd(context.conn, bank)
    return fit_topic_sd(answers.first_known(), bank) if known is None else known
