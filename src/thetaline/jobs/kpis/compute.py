"""The job that computes the KPIs of all learners, or of some, and merges them into the row of their week."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from thetaline import db, logs
from thetaline.db import ledger
from thetaline.db.bulk import copy_rows
from thetaline.jobs.abilities.answers import LearnerAnswers, learner_numbers, read_all_answers, read_answers
from thetaline.jobs.abilities.item_bank import find_item_bank
from thetaline.jobs.arrays import Int32s, Mask, Objects
from thetaline.jobs.command_line import DateOption, DryRunOption, run_app
from thetaline.jobs.kpis import learner_kpis
from thetaline.jobs.kpis.key_registry import declare_writer
from thetaline.jobs.kpis.learner_kpis import ACCURACY_DELTA, THETA_DELTA, CohortKpis, compute_kpis, history_window
from thetaline.jobs.runner import JobContext, Summary, run_job
from thetaline.jobs.terms import read_terms
from thetaline.learning.inactivity import PRIOR_MODE, BgBbParameters, activity_history, fit_bg_bb
from thetaline.learning.windows import last_days, monday

JOB = "compute_daily_kpis"
FROM_ABILITY, FROM_GROWTH = "ability", "fit_bayesian_growth"
SQL = db.sql("jobs/kpis/compute.sql")
log = logs.get_logger(__name__)
app = typer.Typer(add_completion=False)


@app.command()
def compute(
    date: DateOption = None,
    user: Annotated[list[str] | None, typer.Option("--user", help="Only this learner; may be given again.")] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Compute I_t, E_t, R_t, A_t, P and S of a day and merge them into the week's KPIs."""
    raise typer.Exit(run_job(JOB, partial(work, user_ids=user), date=date, dry_run=dry_run))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.compute_daily_kpis`."""
    return run_app(app, argv, "thetaline kpis")


def work(context: JobContext, *, user_ids: Sequence[str] | None = None) -> Summary:
    """One day; of all who answered within KPI_LOOKBACK_DAYS, or of the users named."""
    if user_ids:
        return {"run_id": None, **recompute(context, user_ids)}
    if context.dry_run:
        return {"run_id": None, **_cohort(context, write=False)}
    with ledger.open_run(context.url, JOB, as_of=context.as_of, now=context.now) as run:
        summary = _cohort(context, write=True)
        ledger.close_run(context.conn, run.run_id, ledger.RunState.DONE, summary=summary)
        context.conn.commit()
    return {"run_id": run.run_id, **summary}


def recompute(context: JobContext, user_ids: Sequence[str]) -> Summary:
    """The week of some learners; inactivity is judged as in the last run over all. Raises InputError."""
    numbers = learner_numbers(context.conn, user_ids)
    history, learners = history_window(context.as_of), list(numbers.values())
    answers = read_answers(context.conn, history, learners, calendar=context.calendar)
    kpis = _compute(context, answers, _last_parameters(context))
    if not context.dry_run:
        with _staging_table(context, kpis, np.ones(kpis.learner_no.size, bool)) as week:
            context.conn.execute(SQL["merge_kpis"], week)
    return _summary(kpis)


def kpi_texts(kpis: CohortKpis, as_of: dt.date) -> list[str]:
    """(N,) the KPIs of each learner as JSON; what cannot be computed has no key."""
    columns = {name: _plain_values(column) for name, column in _columns(kpis).items()}
    rows = zip(*columns.values(), strict=True)
    return [json.dumps({**_known(columns, row), "as_of": str(as_of)}) for row in rows]


def _known(names: Iterable[str], row: tuple[object, ...]) -> dict[str, object]:
    return {name: value for name, value in zip(names, row, strict=True) if value is not None}


def _columns(kpis: CohortKpis) -> dict[str, NDArray[Any]]:
    improvement = kpis.improvement
    has, by_theta = ~np.isnan(improvement.index), improvement.by_theta
    theta_based, accuracy_based = has & by_theta, has & ~by_theta
    return {
        "I_t": improvement.index,
        "method": _where(has, np.where(by_theta, THETA_DELTA, ACCURACY_DELTA)),
        "delta_theta": np.where(theta_based, improvement.change, np.nan),
        "delta_theta_se": np.where(theta_based, improvement.se, np.nan),
        "delta_accuracy": np.where(accuracy_based, improvement.change, np.nan),
        "delta_accuracy_se": np.where(accuracy_based, improvement.se, np.nan),
        "reliable_change": _where(has, improvement.reliable),
        "n_recent": improvement.n_recent,
        "n_previous": improvement.n_previous,
        "E_t": kpis.efficiency,
        "R_t": kpis.error_recovery,
        "A_t": kpis.engagement,
        "P": kpis.goal,
        "P_source": _where(~np.isnan(kpis.goal), np.where(kpis.goal_by_growth, FROM_GROWTH, FROM_ABILITY)),
        "S": kpis.inactivity,
        "theta": kpis.theta,
        "theta_se": kpis.se,
    }


def _where(known: Mask, values: NDArray[Any]) -> Objects:
    column = np.full(values.shape, None, object)
    column[known] = values[known].tolist()
    return column


def _plain_values(column: NDArray[Any]) -> list[object]:
    """Plain values; NaN as None."""
    if column.dtype.kind != "f":
        return list(column.tolist())
    return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 - NaN is not itself


def _cohort(context: JobContext, *, write: bool) -> dict[str, object]:
    history = history_window(context.as_of)
    answers = read_all_answers(context.url, history, context.calendar)
    parameters = fit_bg_bb(activity_history(answers.attempts, history, read_terms(context.conn)))
    kpis = _compute(context, answers, parameters)
    due = last_days(context.as_of, context.settings.kpi_lookback_days).contains(_last_day(answers))
    summary = {"n_answers": answers.n_answers, **_summary(kpis, due), "habit": asdict(parameters)}
    if write:
        with _staging_table(context, kpis, due) as week:
            n_merged = context.conn.execute(SQL["merge_kpis"], week).rowcount
            n_vanished = context.conn.execute(SQL["remove_vanished"], week).rowcount
        summary |= {"n_kept_as_newer": int(due.sum()) - n_merged, "n_vanished": n_vanished}
    log.info("weekly kpis", **summary)
    return summary


def _compute(context: JobContext, answers: LearnerAnswers, parameters: BgBbParameters) -> CohortKpis:
    return compute_kpis(
        context.conn,
        answers,
        find_item_bank(context.conn, context.as_of),
        as_of=context.as_of,
        inactivity_parameters=parameters,
        default_target=context.settings.metrics_default_target,
        terms=read_terms(context.conn),
    )


def _last_day(answers: LearnerAnswers) -> Int32s:
    """(N,) the newest day of each learner; attempts are in order, so it is written last."""
    day = np.zeros(answers.learner_no.size, np.int32)
    day[answers.attempts.learner] = answers.attempts.day
    return day


def _last_parameters(context: JobContext) -> BgBbParameters:
    row = context.conn.execute(learner_kpis.SQL["last_inactivity_parameters"], {"as_of": context.as_of}).fetchone()
    return BgBbParameters(**row[0]) if row else PRIOR_MODE


@contextmanager
def _staging_table(context: JobContext, kpis: CohortKpis, due: Mask) -> Iterator[dict[str, object]]:
    """A temporary table of all learners, those due with their KPIs; yields the parameters of statements on it."""
    texts = np.array(kpi_texts(kpis, context.as_of), object)
    texts[~due] = None
    conn = context.conn
    declare_writer(conn, JOB)
    conn.execute(SQL["create_staging_table"])
    copy_rows(conn, "fresh_kpi", ["learner_no", "kpis"], [kpis.learner_no, texts])
    week = {"week_start": monday(context.as_of), "as_of": str(context.as_of)}
    yield {**week, "now": context.now}
    conn.execute(SQL["drop_staging_table"])


def _summary(kpis: CohortKpis, due: Mask | None = None) -> dict[str, object]:
    chosen = np.ones(kpis.learner_no.size, bool) if due is None else due
    has = chosen & ~np.isnan(kpis.improvement.index)
    return {
        "n_learners": int(chosen.sum()),
        "n_with_i_t": int(has.sum()),
        "n_theta_based": int((has & kpis.improvement.by_theta).sum()),
        "n_reliably_up": int((has & (kpis.improvement.reliable == 1)).sum()),
        "n_reliably_down": int((has & (kpis.improvement.reliable == -1)).sum()),
    }
