"""`thetaline runs`: what ran, why a calibration is held, and the decision of the person who answers for it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import psycopg
import typer

from thetaline import db
from thetaline.cli.tables import said, table
from thetaline.db import queries
from thetaline.errors import InputError
from thetaline.jobs.calibration.gate_values import CheckResult
from thetaline.jobs.calibration.publication import JOB, current_run, publish, retract
from thetaline.jobs.calibration.run_records import RunRecord, list_runs, load_checks, load_run
from thetaline.jobs.command_line import default_command
from thetaline.jobs.runner import prepare_database
from thetaline.settings import load

ITEMS_SHOWN = 10  # of each kind; --json has all

app = typer.Typer(
    add_completion=False,
    cls=default_command("list"),
    help="List, show, publish or retract runs; without a command: list.",
)

JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="As `thetaline runs` lists it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the run.")]


@app.command("list")
def list_(
    job: Annotated[str, typer.Option(help="Of this job only; `all` for every job.")] = JOB,
    most: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the newest runs; * is what is current."""
    with _database() as conn:
        runs, current = list_runs(conn, job=None if job == "all" else job, most=most), current_run(conn)
    if as_json:
        typer.echo(_json([asdict(run) | {"is_current": run.run_id == current} for run in runs]))
        return
    if not runs:
        typer.echo(
            "no runs yet; `thetaline calibrate` makes one" if job in ("all", JOB) else f"no runs of {job!r}", err=True
        )
        return
    rows = [[f"{'*' if run.run_id == current else ' '} {run.run_id}", *_row(run)] for run in runs]
    typer.echo(table(["  run", "date", "state", "model", "items", "users", "anchors", "A", "B", "note"], rows))


@app.command()
def show(run: RunArgument, as_json: JsonOption = False) -> None:
    """Show a run: its gate, linking constants, dropped anchors, what was left out, weakest items."""
    with _database() as conn:
        record, checks = load_run(conn, run), load_checks(conn, run)
        codes = queries.item_codes(conn, _item_ids(record.metrics or {}))
    if as_json:
        typer.echo(_json({**asdict(record), "gate": [asdict(check) for check in checks], "codes": codes}))
    else:
        typer.echo("\n\n".join(filter(None, _sections(record, checks, codes))))


@app.command("publish")
def publish_(run: RunArgument, reason: ReasonOption) -> None:
    """Publish a run that the gate held, or that was retracted, and θ whose newest items it gave."""
    _decide(run, reason, publish)


@app.command("retract")
def retract_(run: RunArgument, reason: ReasonOption) -> None:
    """Take a published run back, and θ whose newest items it gave; the run published before it is current again."""
    _decide(run, reason, retract)


def _decide(run_id: str, reason: str, decision: Callable[..., None]) -> None:
    if not reason.strip():
        raise InputError("--reason is empty; say why, for those who read the ledger later")
    with _database() as conn:
        decision(conn, run_id, reason=reason.strip(), now=datetime.now(UTC))
        record, current = load_run(conn, run_id), current_run(conn)
    typer.echo(f"{run_id} is {record.state}; current is {current or 'nothing'}", err=True)
    typer.echo("θ, features and indicators follow with `thetaline nightly --from snapshot_theta --anyway`", err=True)


@contextmanager
def _database() -> Iterator[psycopg.Connection[Any]]:
    url = prepare_database(load())
    with db.connect(url, name="thetaline runs") as conn:
        yield conn


def _row(run: RunRecord) -> list[str]:
    spec = run.model_spec or {}
    link = spec.get("linking_constants") or {}
    counts = [said(spec.get(name)) for name in ("model", "n_items", "n_users", "n_anchors")]
    note = (run.reason or run.error or "").replace("\n", "; ")
    return [str(run.as_of), run.state, *counts, said(link.get("A")), said(link.get("B")), note[:80]]


def _item_ids(metrics: Mapping[str, Any]) -> list[str]:
    """The items that a run's metrics name."""
    by_answers = metrics.get("classical", {}).get("flagged", {})
    listed = [
        *by_answers,
        *(one["id"] for one in metrics.get("excluded_items", [])),
        *metrics.get("anchors", {}).get("dropped", {}),
    ]
    return [*listed, *(one["item_id"] for one in metrics.get("flagged_items", []))]


def _sections(run: RunRecord, checks: Sequence[CheckResult], codes: Mapping[str, str]) -> Iterator[str]:
    """The parts of `show` that there is something to say about."""
    spec, metrics = run.model_spec or {}, run.metrics or {}
    yield _facts({"run": run.run_id, "date": run.as_of, "state": run.state, "reason": run.reason, "error": run.error})
    if checks:
        rows = [["ok" if one.passed else "HELD", one.name, said(one.value), one.limit, one.message] for one in checks]
        yield table(["gate", "check", "value", "limit", "message"], rows)
    if run.model_spec is None:
        return
    names = ("model", "n_items", "n_users", "n_anchors", "linked", "window", "engine")
    fit = ("status", "cycles", "log_likelihood", "aic", "bic", "population", "rmsd")
    yield _facts({**{name: spec.get(name) for name in names}, **{name: metrics.get(name) for name in fit}})
    anchors = dict(metrics.get("anchors", {}))
    anchors["dropped"] = {_item(name, codes): why for name, why in anchors.get("dropped", {}).items()}
    yield _facts({"linking": spec.get("linking_constants"), **anchors})
    yield _facts({name: _coefficient(metrics.get("classical", {}).get(name)) for name in ("alpha", "omega")})
    users = {reason: len(ids) for reason, ids in metrics.get("excluded_users", {}).items()}
    yield _facts({"left out": metrics.get("left_out_answers"), "learners": users})
    yield from _item_tables(metrics, codes)


def _coefficient(one: Mapping[str, float] | None) -> str | None:
    """A coefficient with its interval, where it is known."""
    return f"{one['estimate']:.3f} ({one['low']:.2f} … {one['high']:.2f})" if one and len(one) == 3 else None


def _item(item_id: str, codes: Mapping[str, str]) -> str:
    """The id, and the code that it was imported under where that is another."""
    code = codes.get(item_id, item_id)
    return item_id if code == item_id else f"{item_id} ({code})"


def _item_tables(metrics: Mapping[str, Any], codes: Mapping[str, str]) -> Iterator[str]:
    excluded, weak = metrics.get("excluded_items", []), metrics.get("flagged_items", [])
    if excluded:
        rows = [[_item(one["id"], codes), one["n_answers"], one["reason"]] for one in excluded[:ITEMS_SHOWN]]
        yield table([f"of {len(excluded)} items left out", "answers", "reason"], rows)
    if weak:
        rows = [
            [_item(one["item_id"], codes), *(one[name] for name in ("a", "b", "se_b", "reason"))]
            for one in weak[:ITEMS_SHOWN]
        ]
        yield table([f"weakest of {len(weak)} flagged", "a", "b", "se(b)", "reason"], rows)
    by_answers = metrics.get("classical", {}).get("flagged", {})
    if by_answers:
        rows = [[_item(name, codes), reasons] for name, reasons in list(by_answers.items())[:ITEMS_SHOWN]]
        yield table([f"of {len(by_answers)} to look at by their answers", "reason"], rows)


def _facts(facts: Mapping[str, object]) -> str:
    return "\n".join(f"{name:<16} {said(value)}" for name, value in facts.items() if value not in (None, {}, []))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
