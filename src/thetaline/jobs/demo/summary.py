"""What the demo found, read from the published run and compared with the truth, in words for a newcomer."""

from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row, tuple_row

from thetaline import db
from thetaline.jobs.demo.recovery import Nearness, Window, nearness

_SQL = db.sql("jobs/demo/demo.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The linked run beside the truth."""

    run_id: str
    n_items: int
    n_users: int
    constants: tuple[float, float]  # A, B
    true_constants: tuple[float, float]
    a: Nearness
    b: Nearness
    theta: Nearness
    anchors: list[str]
    drifting_anchors: list[str]
    dropped_anchors: list[str]

    def as_json(self) -> dict[str, object]:
        """For the summary line."""
        return asdict(self)


def find(conn: psycopg.Connection[Any], run_id: str, *, first: Window, latest: Window) -> Findings:
    """Read the run that was linked to the first one, and compare it with the truth of both windows."""
    base, drift = first.scale(), latest.truth.drift
    true_items = latest.items(base)
    true_theta = {user: (theta - base.mean) / base.sd for user, theta in latest.abilities().items()}
    items = {code: (a, b) for code, a, b in _rows(conn, "published_items", {})}
    abilities = dict(_rows(conn, "published_abilities", {"run_id": run_id}))
    anchors = dict(_rows(conn, "anchors", {}))
    spec, metrics = _rows(conn, "fit", {"run_id": run_id})[0]
    drifting = set(latest.truth.item_codes[drift != 0].tolist())
    return Findings(
        run_id=run_id,
        n_items=spec["n_items"],
        n_users=spec["n_users"],
        constants=(spec["linking_constants"]["A"], spec["linking_constants"]["B"]),
        true_constants=latest.scale().link_to(base),
        a=nearness(_part(items, 0), _part(true_items, 0)),
        b=nearness(_part(items, 1), _part(true_items, 1)),
        theta=nearness(abilities, true_theta),
        anchors=sorted(anchors.values()),
        drifting_anchors=sorted(drifting & set(anchors.values())),
        dropped_anchors=sorted(anchors[item] for item in metrics["anchors"]["dropped"]),
    )


def in_words(found: Findings, *, elapsed: float) -> str:
    """The summary on the terminal."""
    (slope, shift), (true_slope, true_shift) = found.constants, found.true_constants
    caught = set(found.drifting_anchors) & set(found.dropped_anchors)
    others = len(found.dropped_anchors) - len(caught)
    return f"""
Published: {found.run_id}, {found.n_items} items and {found.n_users} learners on the scale of the first calibration.

  linking constants   A = {slope:.3f} (truth {true_slope:.3f})   B = {shift:.3f} (truth {true_shift:.3f})
                      θ on the first scale = A·θ + B: learners have grown by B, and spread by A
  anchors             {len(found.anchors)} tagged; {len(found.drifting_anchors)} of them drift in truth
  screening           dropped {len(caught)} of those that drift, and {others} that do not

  recovery            correlation with the truth   root mean square error   number
    difficulty b      {_row(found.b)}
    discrimination a  {_row(found.a)}
    ability θ         {_row(found.theta)}

{elapsed:.0f} s in all. What to try next:

  thetaline runs                                    the two calibrations and their verdicts
  thetaline runs show {found.run_id}
  thetaline db psql -c "table mirt_item_params limit 5"
  thetaline import --help                           your own answers
  thetaline demo --fresh --learners 2000            a larger school
"""


def already_there(contents: dict[str, Any], url: str) -> str:
    """What a second run says."""
    return (
        f"The demo is in {url} already: {contents['learners']:,} learners, {contents['questions']:,} questions, "
        f"{contents['answers']:,} answers from {contents['first_day']} to {contents['last_day']}, "
        f"{contents['published_runs']} published calibrations.\n"
        "See `thetaline runs`; `thetaline demo --fresh` clears it and begins anew."
    )


def contents(conn: psycopg.Connection[Any], file: str) -> dict[str, Any]:
    """What the database holds, the demo's part apart."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_SQL["contents"], {"file": file}).fetchone() or {}


def _part(items: dict[str, tuple[float, float]], place: int) -> dict[str, float]:
    return {code: pair[place] for code, pair in items.items()}


def _row(near: Nearness) -> str:
    return f"{near.correlation:26.3f} {near.rmse:24.3f} {near.n:8,}"


def _rows(conn: psycopg.Connection[Any], statement: str, parameters: dict[str, object]) -> list[Any]:
    with conn.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(_SQL[statement], parameters).fetchall()
