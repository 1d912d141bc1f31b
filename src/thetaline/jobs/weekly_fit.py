"""A model of learners that is fitted once a week: one run for a week and its data, also where nothing can be fitted."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from thetaline import db, logs
from thetaline.db import ledger
from thetaline.jobs.runner import JobContext, Outcome, Summary
from thetaline.learning.windows import last_week_end

SQL = db.sql("jobs/weekly_fit.sql")
log = logs.get_logger(__name__)


class Record(Protocol):
    """What a run leaves; one that is not published leaves its reason, and what the run before published stays."""

    @property
    def status(self) -> str:
        """fitted, simplified or not fitted."""

    @property
    def reason(self) -> str | None:
        """Why it is not just fitted."""

    @property
    def summary(self) -> Mapping[str, object]:
        """For the ledger and the summary line."""

    @property
    def is_published(self) -> bool:
        """Whether there is something to publish."""


R = TypeVar("R", bound=Record)


def run_once(
    context: JobContext,
    fingerprint: str,
    fit: Callable[[], R],
    write: Callable[[str, R], None],
    *,
    items_run: str | None = None,
) -> Summary:
    """Fit and store, unless a run for the same week has the same data; a dry run fits and stores nothing."""
    as_of = last_week_end(context.as_of)
    if context.dry_run:
        return _told(context, fit(), fingerprint)
    with ledger.open_run(context.url, context.name, as_of=as_of, now=context.now) as run:
        values = {"job": context.name, "as_of": as_of, "fingerprint": fingerprint}
        if same := context.conn.execute(SQL["same_run"], values).fetchone():
            ledger.close_run(run.conn, run.run_id, ledger.RunState.DONE, summary={"same_as": same[0]})
            return {**same[1], "run_id": same[0], "status": Outcome.ALREADY_DONE}
        record = fit()
        write(run.run_id, record)
        state = ledger.RunState.PUBLISHED if record.is_published else ledger.RunState.DONE
        summary = {**_told(context, record, fingerprint), "items_run": items_run}
        ledger.close_run(context.conn, run.run_id, state, summary=summary)
        context.conn.commit()  # before the ledger's own connection looks whether the run is still open
    return {"run_id": run.run_id, **summary}


def _told(context: JobContext, record: Record, fingerprint: str) -> dict[str, object]:
    if not record.is_published:
        log.warning("not fitted; the values of the run before stay", job=context.name, reason=record.reason)
    shown = {"fit": record.status, "fingerprint": fingerprint, **record.summary}
    return {**shown, "reason": record.reason} if record.reason else shown
