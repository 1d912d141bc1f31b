"""The job that tests items for drift and writes alerts; a drifted anchor is proposed for retirement."""

from collections.abc import Container, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import typer

from thetaline import db, irt, logs
from thetaline.db import ledger
from thetaline.db.jsonb import to_json
from thetaline.errors import ItemsError
from thetaline.jobs.command_line import DateOption, DryRunOption, run_app
from thetaline.jobs.drift.alerts import Alert, Severity, compared_alerts, watched_alerts
from thetaline.jobs.drift.comparison import Comparison, compare, load_comparison
from thetaline.jobs.drift.monitor import POWER_CHANGE, POWER_DAYS, Watched, watch
from thetaline.jobs.drift.weekly_scores import score_weeks
from thetaline.jobs.runner import JobContext, Summary, run_job

JOB = "irt_drift"
SQL = db.sql("jobs/drift/check.sql")
MIN_ITEMS = 4  # three to link the scales, one to test
N_LISTED = 5  # ids of items that could not be tested, in the summary

log = logs.get_logger(__name__)
app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class DriftFindings:
    """What a check found, and which alerts are new; `found` is None where nothing could be tested."""

    comparison: Comparison
    found: irt.Drift | None
    new: Sequence[Alert]
    accepted: Sequence[Alert]  # a person has resolved one as severe against the same reference
    outdated: Sequence[Alert]  # a check of a later date has tested the item
    watched: Watched | None = None

    @property
    def compared(self) -> list[int]:
        """Their item_no: those whose test has a p."""
        return self.found.ids[np.isfinite(self.found.p)].tolist() if self.found else []

    @property
    def tested(self) -> list[int]:
        """Compared, or watched over weeks."""
        of_weeks = self.watched.item_no[np.isfinite(self.watched.found.log_odds)].tolist() if self.watched else []
        return sorted({*self.compared, *of_weeks})


@app.command()
def drift(date: DateOption = None, dry_run: DryRunOption = False) -> None:
    """Compare the newest calibration with the reference of each item and write alerts."""
    raise typer.Exit(run_job(JOB, work, date=date, dry_run=dry_run))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.irt_drift`."""
    return run_app(app, argv, "thetaline drift check")


def work(context: JobContext) -> Summary:
    """One comparison, and a look at the weeks; anchors are proposed for retirement and never changed.

    A dry run writes no alert, and looks at the weeks as the last run has scored them.
    """
    if context.dry_run:
        return {"run_id": None, **_summary(_find_drift(context))}
    with ledger.open_run(context.url, JOB, as_of=context.as_of, now=context.now) as run:
        score_weeks(context)
        findings = _find_drift(context)
        summary = _summary(findings)
        _write(context, run.run_id, findings)
        ledger.close_run(context.conn, run.run_id, ledger.RunState.DONE, summary=summary)
        context.conn.commit()
    return {"run_id": run.run_id, **summary}


def _find_drift(context: JobContext) -> DriftFindings:
    """Test the items, and sort the alerts into new, accepted and outdated ones."""
    comparison, found = _compare(context)
    watched = watch(context)
    alerts = [*(compared_alerts(found, comparison) if found else ()), *(watched_alerts(watched) if watched else ())]
    later = {number for (number,) in context.conn.execute(SQL["tested_later"], {"as_of": context.as_of})}
    decided = set(context.conn.execute(SQL["decisions"]).fetchall())
    current = [alert for alert in alerts if alert.item_no not in later]
    accepted = [alert for alert in current if _is_accepted(alert, decided)]
    new = {alert.item_no: alert for alert in reversed(current) if alert not in accepted}  # the comparison's come first
    return DriftFindings(
        comparison=comparison,
        found=found,
        new=list(new.values())[::-1],
        accepted=[alert for alert in accepted if alert.item_no not in new],
        outdated=[alert for alert in alerts if alert.item_no in later],
        watched=watched,
    )


def _is_accepted(alert: Alert, decided: Container[tuple[int, str, str]]) -> bool:
    """Whether a person has resolved an alert as severe, of the same item against the same reference."""
    levels = list(Severity)
    as_severe = levels[levels.index(alert.severity) :]
    return any((alert.item_no, alert.reference, level) in decided for level in as_severe)


def _compare(context: JobContext) -> tuple[Comparison, irt.Drift | None]:
    """Drift is None where too few items have a reference, which is no error: a new bank has no history."""
    comparison = load_comparison(context.conn, context.as_of, lookback_days=context.settings.mirt_lookback_days)
    if comparison.without_errors:
        log.warning("items without standard errors are not tested", **_count_and_first(comparison.without_errors))
    if len(comparison.reference) < MIN_ITEMS:
        log.info("too few items with a reference", count=len(comparison.reference), needed=MIN_ITEMS)
        return comparison, None
    try:
        return comparison, compare(comparison)
    except ItemsError as error:
        log.warning("drift cannot be tested", reason=str(error))
        return comparison, None


def _summary(findings: DriftFindings) -> dict[str, object]:
    comparison, found, new = findings.comparison, findings.found, findings.new
    for alert in new:
        log.warning("item drifted", **asdict(alert))
    return {
        "recent_run": comparison.run_id,
        "n_alerts": len(new),
        "n_items": len(comparison.reference),
        "n_anchors": len(comparison.anchors),
        "tested": found is not None,
        "n_tested": len(findings.tested),
        "n_compared": len(findings.compared),
        "watched": _watched(findings.watched),
        "without_errors": _count_and_first(comparison.without_errors),
        "scale_shift": _scale_shift(found) if found else None,
        "alerts": {level: sum(alert.severity is level for alert in new) for level in Severity},
        "not_alerted": {"accepted": len(findings.accepted), "tested_later": len(findings.outdated)},
        "anchors_to_retire": [alert.item_id for alert in new if alert.is_anchor and alert.proposal],
    }


def _watched(watched: Watched | None) -> dict[str, object] | None:
    """How many items and weeks, and what is the chance of seeing a change: mean, and items with less than a half."""
    if watched is None:
        return None
    power = {"change": POWER_CHANGE, "days": POWER_DAYS, "mean": round(float(watched.power.mean()), 3)}
    weak = int(np.sum(watched.power < 0.5))
    return {"n_items": watched.item_no.size, "n_weeks": watched.weeks.size, "power": {**power, "n_below_half": weak}}


def _count_and_first(item_ids: Sequence[str]) -> dict[str, object]:
    return {"count": len(item_ids), "items": list(item_ids[:N_LISTED])}


def _scale_shift(found: irt.Drift) -> dict[str, float]:
    """A and B, the change that all stable items share, with standard errors."""
    return {"A": found.link.A, "B": found.link.B, "se_A": found.se.A, "se_B": found.se.B}


def _write(context: JobContext, run_id: str, findings: DriftFindings) -> None:
    parameters = {"run_id": run_id, "now": context.now, "as_of": context.as_of, "tested": findings.tested}
    closing = {"drifted": _numbers(findings.new), "accepted": _numbers(findings.accepted)}
    context.conn.execute(SQL["close_older_alerts"], {**parameters, **closing})
    context.conn.execute(SQL["record_tested"], parameters)
    with context.conn.cursor() as cursor:
        cursor.executemany(SQL["insert_alert"], [{**parameters, **_stored(alert)} for alert in findings.new])


def _numbers(alerts: Sequence[Alert]) -> list[int]:
    return [alert.item_no for alert in alerts]


def _stored(alert: Alert) -> dict[str, object]:
    row = asdict(alert)
    kept = {name: row.pop(name) for name in ("item_no", "is_anchor", "severity", "proposal")}
    return {**kept, "statistics": to_json(row)}
