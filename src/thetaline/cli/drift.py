"""`thetaline drift`: the items that changed, what is proposed, and the decision of the person who answers for it."""

import json
import math
from datetime import UTC, datetime
from typing import Annotated, Any

import psycopg
import typer

from thetaline import db
from thetaline.errors import InputError
from thetaline.jobs.command_line import DateOption, DryRunOption, default_command
from thetaline.jobs.drift.check import JOB, SQL, work
from thetaline.jobs.runner import prepare_database, run_job
from thetaline.settings import load

COLUMNS = (
    "run_id",
    "item_id",
    "is_anchor",
    "severity",
    "statistics",
    "proposal",
    "created_at",
    "resolved_at",
    "resolved_by",
    "resolution",
    "external_id",
)

app = typer.Typer(
    add_completion=False,
    cls=default_command("list"),
    help="List, check or resolve drift of items; without a command: list.",
)


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Resolved alerts too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the open alerts, the gravest first."""
    with db.connect(prepare_database(load()), name="thetaline drift") as conn:
        rows = conn.execute(SQL["open_alerts"], {"all": everything}).fetchall()
        tested = _what_was_tested(conn)
    alerts = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    if as_json:
        typer.echo(json.dumps(alerts, ensure_ascii=False, default=str))
        return
    typer.echo("\n".join([*map(_line, alerts), tested]))


@app.command()
def check(date: DateOption = None, dry_run: DryRunOption = False) -> None:
    """Compare the newest calibration with the reference of each item and write alerts (the job `irt_drift`)."""
    raise typer.Exit(run_job(JOB, work, date=date, dry_run=dry_run))


@app.command()
def resolve(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="The item's id, or the code that it was imported under.")],
    reason: Annotated[str, typer.Option("--reason", help="What was decided; kept with the alert.")],
    retire: Annotated[bool, typer.Option("--retire", help="Also take the tag `anchor` from the item.")] = False,
) -> None:
    """Close the open alert of an item; checks open another only for a graver change, or against another reference.

    With --retire it is no anchor any more and is not chosen as one again; its frozen reference stays on record.
    """
    if not reason.strip():
        raise InputError("--reason is empty; say what was decided, for those who read the alert later")
    with db.connect(prepare_database(load()), name="thetaline drift") as conn:
        parameters = {"item_id": _item_id(conn, item), "reason": reason.strip(), "now": datetime.now(UTC)}
        if conn.execute(SQL["resolve_alert"], parameters).rowcount == 0:
            raise InputError(f"item {item!r} has no open alert; `thetaline drift` lists those that do")
        if retire and conn.execute(SQL["retire_anchor"], parameters).rowcount == 0:
            raise InputError(f"item {item!r} is no anchor; nothing is resolved, leave out --retire to close its alert")
    typer.echo(f"the alert of item {item} is resolved", err=True)


def _item_id(conn: psycopg.Connection[Any], item: str) -> str:
    """The id of an alert's item by its id, else by its code; raises InputError where several have that."""
    found = [item_id for (item_id,) in conn.execute(SQL["alerted_item"], {"item": item})]
    if item in found or not found:
        return item
    if len(found) > 1:
        raise InputError(f"the code {item!r} belongs to the items {', '.join(found)}; say which by its id")
    return str(found[0])


def _what_was_tested(conn: psycopg.Connection[Any]) -> str:
    """How far the silence of the others goes."""
    newest = conn.execute(SQL["newest_check"]).fetchone()
    if newest is None:
        return "no item was tested yet: no check has run"
    as_of, n_tested, power = newest
    (n_items,) = conn.execute(SQL["stored_items"]).fetchone() or (0,)
    if not n_tested:
        return f"no item was tested by the newest check (of {as_of}): nothing is known of drift"
    tested = f"{n_tested} of {n_items} items were tested by the newest check (of {as_of})"
    if power is None:
        return f"{tested}; no weeks of answers have been weighed yet"
    return f"{tested}; of changes of b by {power['change']} it sees {power['mean']:.0%} within {power['days']} days"


def _line(alert: dict[str, Any]) -> str:
    numbers = alert["statistics"]
    name = f"{alert['item_id']} ({alert['external_id']})" if alert["external_id"] else alert["item_id"]
    head = f"{alert['severity']:<8}  item {name:<18}  {'anchor' if alert['is_anchor'] else '':<6}"
    change = f"score {numbers['effect']:+.3f}  b {numbers['change_b']:+.2f}"
    if numbers["p_adjusted"] is None:
        evidence = f"since {numbers['since']}  odds 1e{numbers['log_odds'] / math.log(10):.0f}"
    else:
        evidence = f"a {numbers['change_a']:+.2f}  p {numbers['p_adjusted']:.1g}"
    done = f"  [{alert['resolution']}]" if alert["resolved_at"] else ""
    return f"{head}  {change}  {evidence}  {alert['proposal'] or ''}{done}".rstrip()
