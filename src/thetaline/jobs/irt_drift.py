"""Drift of item parameters: what changed since its reference is told, an anchor that did is proposed for retirement."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np
import typer

from thetaline import db, irt, logs
from thetaline.db import ledger
from thetaline.errors import ItemsError
from thetaline.jobs.drift_comparison import Comparison, compare, load_comparison
from thetaline.jobs.entry import DateOption, DryRunOption, JobContext, Summary, run_app, run_job

JOB = "irt_drift"
SQL = db.sql("jobs/irt_drift.sql")
ALPHA = 0.05  # of the p-values adjusted for the number of items
WORTH_A_LOOK, LARGE = 0.05, 0.10  # change of the mean score on the item, as P-DIF is read (Dorans & Holland 1993)
LEAST_ITEMS = 4  # three carry the scale, one can be seen to move

log = logs.get_logger(__name__)
app = typer.Typer(add_completion=False)


class Severity(StrEnum):
    """Of an alert: significant and the change of the mean score below 0.05, below 0.10, from there on."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Alert:
    """One item that changed; `effect` is the change of its mean score over N(0, 1), negative when it got harder."""

    item_no: int
    item_id: str
    is_anchor: bool
    severity: Severity
    effect: float
    change_a: float
    change_b: float
    z_b: float
    p_adjusted: float
    reference: str
    proposal: str | None


@app.command()
def drift(date: DateOption = None, dry_run: DryRunOption = False) -> None:
    """Compare the newest calibration with the reference of each item and write alerts."""
    raise typer.Exit(run_job(JOB, work, date=date, dry_run=dry_run))


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.irt_drift`."""
    return run_app(app, argv, "thetaline drift check")


def work(context: JobContext) -> Summary:
    """One comparison; anchors are proposed for retirement and never changed. A dry run writes no alert."""
    if context.dry_run:
        return {"run_id": None, **_summary(*_compare(context))}
    with ledger.open_run(context.url, JOB, as_of=context.as_of, now=context.now) as run:
        comparison, found = _compare(context)
        summary = _summary(comparison, found)
        _write(context, run.run_id, comparison, alerts_of(found, comparison) if found else [])
        ledger.close_run(context.conn, run.run_id, ledger.State.DONE, summary=summary)
        context.conn.commit()
    return {"run_id": run.run_id, **summary}


def alerts_of(found: irt.Drift, comparison: Comparison) -> list[Alert]:
    """The items with a significant change, the gravest first."""
    order = np.flatnonzero(found.p_adjusted < ALPHA)
    order = order[np.argsort(-np.abs(found.effect[order]), kind="stable")]
    return [_alert(found, int(row), comparison) for row in order]


def _alert(found: irt.Drift, row: int, comparison: Comparison) -> Alert:
    number, effect = int(found.ids[row]), float(found.effect[row])
    severity, is_anchor = _severity(effect), number in comparison.anchors
    return Alert(
        item_no=number,
        item_id=comparison.names[number],
        is_anchor=is_anchor,
        severity=severity,
        effect=effect,
        change_a=float(found.change_a[row]),
        change_b=float(found.change_b[row]),
        z_b=float(found.z_b[row]),
        p_adjusted=float(found.p_adjusted[row]),
        reference=comparison.reference[number].source,
        proposal=_proposal(severity, is_anchor=is_anchor),
    )


def _severity(effect: float) -> Severity:
    if abs(effect) >= LARGE:
        return Severity.CRITICAL
    return Severity.WARNING if abs(effect) >= WORTH_A_LOOK else Severity.INFO


def _proposal(severity: Severity, *, is_anchor: bool) -> str | None:
    if severity is Severity.INFO:
        return None
    return "retire as anchor" if is_anchor else "review the question"


def _compare(context: JobContext) -> tuple[Comparison, irt.Drift | None]:
    """None where too few items have a reference to compare with, which is no fault: a young bank has no past."""
    comparison = load_comparison(context.conn, context.as_of, lookback_days=context.settings.mirt_lookback_days)
    if len(comparison.reference) < LEAST_ITEMS:
        log.info("too few items with a reference", count=len(comparison.reference), needed=LEAST_ITEMS)
        return comparison, None
    try:
        return comparison, compare(comparison)
    except ItemsError as error:
        log.warning("drift cannot be tested", reason=str(error))
        return comparison, None


def _summary(comparison: Comparison, found: irt.Drift | None) -> dict[str, object]:
    alerts = alerts_of(found, comparison) if found else []
    for alert in alerts:
        log.warning("item drifted", **asdict(alert))
    return {
        "recent_run": comparison.run_id,
        "n_items": len(comparison.reference),
        "n_anchors": len(comparison.anchors),
        "tested": found is not None,
        "scale_shift": _scale_shift(found) if found else None,
        "alerts": {level: sum(alert.severity is level for alert in alerts) for level in Severity},
        "anchors_to_retire": [alert.item_id for alert in alerts if alert.is_anchor and alert.proposal],
    }


def _scale_shift(found: irt.Drift) -> dict[str, float]:
    """What all stable items have in common is the scale, not the items."""
    return {"A": found.link.A, "B": found.link.B, "se_A": found.se.A, "se_B": found.se.B}


def _write(context: JobContext, run_id: str, comparison: Comparison, alerts: Sequence[Alert]) -> None:
    drifted = [alert.item_no for alert in alerts]
    parameters = {"run_id": run_id, "now": context.now}
    closing = {**parameters, "drifted": drifted, "tested": list(comparison.reference)}
    context.conn.execute(SQL["close_older_alerts"], closing)
    with context.conn.cursor() as cursor:
        cursor.executemany(SQL["insert_alert"], [{**parameters, **_stored(alert)} for alert in alerts])


def _stored(alert: Alert) -> dict[str, object]:
    row = asdict(alert)
    kept = {name: row.pop(name) for name in ("item_no", "is_anchor", "severity", "proposal")}
    return {**kept, "statistics": json.dumps(row)}


if __name__ == "__main__":
    raise SystemExit(main())
