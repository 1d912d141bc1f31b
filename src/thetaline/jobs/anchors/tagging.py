"""The jobs on anchors: choose items and freeze their references; verify the references against what is published."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import numpy as np
import psycopg
import typer

from thetaline import db, irt, logs
from thetaline.db import queries
from thetaline.db.ledger import RunState, close_run, open_run
from thetaline.errors import JobError
from thetaline.jobs.anchors.references import read_anchors
from thetaline.jobs.anchors.selection import AnchorCriteria, PublishedItems, rejection_reasons, select
from thetaline.jobs.anchors.verification import PublishedDifficulties, verify_anchors
from thetaline.jobs.command_line import DryRunOption, default_command, print_message, run_app
from thetaline.jobs.runner import JobContext, Outcome, Summary, run_job

JOB = "tag_anchor_items"
SQL = db.sql("jobs/anchors/tagging.sql")
STABLE_OVER_RUNS = 3
SHOWN = 20  # of the new anchors' codes

log = logs.get_logger(__name__)
app = typer.Typer(add_completion=False, cls=default_command("tag"))

MaxMove = Annotated[float, typer.Option("--max-move", min=0, help="Largest change of b that still counts as stable.")]


@app.command()
def tag(
    count: Annotated[int, typer.Option(min=3, help="Anchors there should be, present ones included.")] = 50,
    min_answers: Annotated[int, typer.Option(min=1, help="Fewest answers of a new anchor.")] = 30,
    a_min: Annotated[float, typer.Option(help="Lowest discrimination of a new anchor.")] = 0.5,
    a_max: Annotated[float, typer.Option(help="Highest discrimination of a new anchor.")] = 3.0,
    max_move: MaxMove = 0.5,
    dry_run: DryRunOption = False,
) -> None:
    """Tag stable items over the whole range of difficulty as anchors and freeze their published parameters.

    An anchor that was retired (`thetaline drift resolve --retire`) is not chosen again; a person who wants it back
    sets its tag in question.meta, or takes `anchor_retired` out of it.
    """
    criteria = AnchorCriteria(count=count, min_answers=min_answers, a_min=a_min, a_max=a_max, max_move=max_move)
    raise typer.Exit(run_job(JOB, partial(tag_work, criteria=criteria), dry_run=dry_run))


@app.command()
def verify(
    max_move: MaxMove = 0.5,
    at_least: Annotated[
        int | None, typer.Option(min=3, help="Anchors needed. Default: a fifth of the items, at most 30.")
    ] = None,
) -> None:
    """Compare the frozen references with the published parameters; exit 1 when there is a fault.

    A night's linking screens moved anchors by itself; `thetaline drift` proposes which to retire for good.
    """
    raise typer.Exit(
        run_job("verify_anchor_items", partial(verify_work, max_move=max_move, at_least=at_least), dry_run=True)
    )


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m thetaline.jobs.tag_anchor_items`."""
    return run_app(app, argv, "thetaline tag")


def tag_work(context: JobContext, *, criteria: AnchorCriteria) -> Summary:
    """Choose and freeze in one transaction with the run. Raises JobError where no item can become an anchor."""
    if context.dry_run:
        return _tag(context, criteria)
    with open_run(context.url, JOB, as_of=context.as_of, now=context.now, settings=asdict(criteria)) as run:
        summary = _tag(context, criteria)
        close_run(context.conn, run.run_id, RunState.DONE, summary=summary)
        context.conn.commit()
        return {"run_id": run.run_id, **summary}


def _tag(context: JobContext, criteria: AnchorCriteria) -> Summary:
    items = read_published_items(context.conn)
    if not items.item_ids.size:
        raise JobError("nothing is published yet; run `thetaline calibrate` first")
    chosen = items.item_ids[select(items, criteria)].tolist()
    rejected = Counter(reason for reason in rejection_reasons(items, criteria).tolist() if reason)
    if not chosen and not items.anchored.any():
        raise JobError(
            f"no item can become an anchor ({_counts_text(rejected)}); see --min-answers, --a-min, --a-max, --max-move"
        )
    unfrozen = [item_id for item_id, reason in read_anchors(context.conn).malformed.items() if reason == "no meta.irt"]
    _warn_of_replaced(context.conn, chosen)
    if not context.dry_run:
        context.conn.execute(SQL["freeze"], {"item_ids": chosen + unfrozen, "now": context.now})
    n_anchors = int(items.in_use.sum()) + len(chosen)
    if n_anchors < criteria.count:
        log.warning("fewer anchors than asked for", asked=criteria.count, anchors=n_anchors, rejected=dict(rejected))
    codes = queries.item_codes(context.conn, chosen)
    if chosen:
        print_message(f"{len(chosen)} items are anchors now: {_listed(sorted(codes.values()))}")
    return {
        "tagged": chosen, "codes": codes, "completed": unfrozen, "n_anchors": n_anchors, "refused": dict(rejected),
    }  # fmt: skip


def verify_work(context: JobContext, *, max_move: float, at_least: int | None) -> Summary:
    """Read only. Raises JobError where the anchors have a fault, after each is printed."""
    items = read_published_items(context.conn)
    anchors = read_anchors(context.conn)
    if not anchors and not anchors.malformed:
        raise JobError("no item is tagged as an anchor; run `thetaline tag` first")
    report = verify_anchors(
        anchors,
        PublishedDifficulties(items.item_ids.tolist(), items.b, items.se_b),
        max_move=max_move,
        at_least=at_least,
    )
    if report.unpublished:
        log.warning("anchors without published parameters", item_ids=report.unpublished)
    faults = report.faults()
    for fault in faults:
        print_message(fault)
    if faults:
        raise JobError(f"{len(faults)} faults in {len(anchors) + len(anchors.malformed)} anchors")
    return {
        "status": Outcome.DONE,
        "n_anchors": report.n_usable,
        "n_needed": report.n_needed,
        "unpublished": report.unpublished,
    }


def read_published_items(conn: psycopg.Connection[Any]) -> PublishedItems:
    """Every item with published parameters, by id."""
    rows = conn.execute(SQL["published_items"], {"runs": STABLE_OVER_RUNS, "reversed": irt.Finding.REVERSED}).fetchall()
    columns = list(zip(*rows, strict=True)) or [()] * 11
    item_ids, a, b, se_b, n_answers, move, anchored, has_question, retired, unseen, runs_backwards = columns
    return PublishedItems(
        item_ids=np.array(item_ids, dtype=object),
        a=np.array(a, dtype=float),
        b=np.array(b, dtype=float),
        se_b=np.array(se_b, dtype=float),
        n_answers=np.array(n_answers, dtype=np.int64),
        move=np.array(move, dtype=float),
        anchored=np.array(anchored, dtype=bool),
        has_question=np.array(has_question, dtype=bool),
        retired=np.array(retired, dtype=bool),
        unseen=np.array(unseen, dtype=bool),
        reversed=np.array(runs_backwards, dtype=bool),
    )


def _warn_of_replaced(conn: psycopg.Connection[Any], chosen: list[str]) -> None:
    """The parameters that an untagged item has from elsewhere are replaced; the log keeps the old ones."""
    old = conn.execute(SQL["references_of"], {"item_ids": chosen}).fetchall()
    if old:
        log.warning("parameters of untagged items replaced by the frozen reference", before=dict(old))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


def _counts_text(rejected: Mapping[str, int]) -> str:
    return ", ".join(f"{reason}: {n}" for reason, n in rejected.items())
