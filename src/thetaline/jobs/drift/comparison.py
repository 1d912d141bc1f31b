"""The two sets of item parameters of the drift test: the recent calibration, and the reference of each item."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import psycopg

from thetaline import db, irt
from thetaline.errors import JobError
from thetaline.jobs.arrays import Array, Mask
from thetaline.jobs.item_params import items_of_params

SQL = db.sql("jobs/drift/check.sql")
PARAMETERS = ("a", "b", "c", "d")
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item's model, parameters, their standard errors (empty where unknown) and the covariance of a with b."""

    model: str
    params: Mapping[str, float]
    se: Mapping[str, float]
    cov_ab: float  # 0 where unknown
    source: str  # the run that it comes from, or the numbers themselves
    as_of: date | None = None  # of that run
    is_anchor: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Items that can be tested, by item_no; `names` are their ids, `anchors` those whose reference is a frozen one."""

    run_id: str
    recent: Mapping[int, ItemRow]
    reference: Mapping[int, ItemRow]
    names: Mapping[int, str]
    anchors: frozenset[int]
    without_errors: tuple[str, ...]  # ids in both sets whose recent parameters have no standard errors


def load_comparison(conn: Connection, as_of: date, *, lookback_days: int) -> Comparison:
    """The newest calibration up to the day against the frozen anchors and, for other items, their first publication.

    A first publication counts when its window ended before the recent one began, so that no answer is in both. Items
    whose recent parameters came without standard errors cannot be tested and are listed apart. Raises JobError where
    there is no calibration.
    """
    newest = conn.execute(SQL["newest_calibration"], {"as_of": as_of}).fetchone()
    if newest is None:
        raise JobError(f"no calibration up to {as_of} is stored; run `thetaline calibrate` first")
    run_id, run_day = newest
    rows = conn.execute(SQL["recent_items"], {"run_id": run_id}).fetchall()
    recent = {number: _row(model, params, params.get("se"), cov, run_id) for number, _, model, params, cov in rows}
    frozen = _frozen(conn, run_id)
    earlier = _first_published(conn, run_day - timedelta(days=lookback_days))
    common = _same_model(recent, {**earlier, **frozen})
    reference = {number: row for number, row in common.items() if has_errors(recent[number])}
    names = {number: name for number, name, *_ in rows}
    return Comparison(
        run_id=run_id,
        recent={number: recent[number] for number in reference},
        reference=reference,
        names=names,
        anchors=frozenset(frozen) & frozenset(reference),
        without_errors=tuple(names[number] for number in common if number not in reference),
    )


def references_before(conn: Connection, day: date) -> dict[int, ItemRow]:
    """The reference of each item as `load_comparison` has it, of those whose answers all came before the day."""
    frozen = _frozen(conn, "")
    before = _first_published(conn, day - timedelta(days=1))
    late = {number for number, row in frozen.items() if row.as_of is not None and row.as_of >= day}
    return {number: row for number, row in {**before, **frozen}.items() if number not in late and "b" in row.params}


def compare(comparison: Comparison) -> irt.Drift:
    """Wald tests on one scale, p adjusted within the anchors and within the other items.

    A reference without standard errors of its own is taken to be as exact as the recent estimate. Raises ItemsError
    where too few items are in common.
    """
    recent, reference = comparison.recent, comparison.reference
    new, old = bank_of(recent), bank_of(reference)
    with_errors = [row if has_errors(row) else recent[number] for number, row in reference.items()]
    found = irt.drift(
        new=new,
        reference=old,
        new_covariance=_blocks(new, list(recent.values())),
        reference_covariance=_blocks(old, with_errors),
    )
    is_anchor = np.array([number in comparison.anchors for number in found.ids.tolist()])
    return replace(found, p_adjusted=adjusted_within(found.p, is_anchor))


def adjusted_within(p: Array, is_anchor: Mask) -> Array:
    """(I,) p adjusted for the number of tests, of anchors and of other items by themselves."""
    families = (irt.false_discovery(np.where(family, p, np.nan)) for family in (is_anchor, ~is_anchor))
    return np.where(is_anchor, *families)


def has_errors(row: ItemRow) -> bool:
    """Whether every parameter that is tested has one: a parameter taken as exact would look as if it had drifted."""
    family = irt.FAMILIES.get(row.model)
    tested = ("b",) if family and family.tied else ("a", "b")
    return all(0 < row.se.get(name, 0.0) < math.inf for name in tested)


def _frozen(conn: Connection, recent_run: str) -> dict[int, ItemRow]:
    """Anchors whose reference was frozen from another run than the recent one."""
    rows = conn.execute(SQL["frozen_anchors"]).fetchall()
    return {
        number: replace(_row(model or "2PL", params, se, cov, run_id or _by_hand(params)), as_of=as_of, is_anchor=True)
        for number, model, params, se, cov, run_id, as_of in rows
        if run_id != recent_run
    }


def _by_hand(params: Mapping[str, Any]) -> str:
    """The name of a reference that comes from no run: its numbers, so that another reference has another name."""
    return "frozen: " + ", ".join(f"{name} {params[name]}" for name in PARAMETERS if params.get(name) is not None)


def _first_published(conn: Connection, before: date) -> dict[int, ItemRow]:
    rows = conn.execute(SQL["first_published_items"], {"before": before}).fetchall()
    return {number: _row(model, params, params.get("se"), cov, run_id) for number, model, params, cov, run_id in rows}


def _same_model(recent: Mapping[int, ItemRow], reference: Mapping[int, ItemRow]) -> dict[int, ItemRow]:
    """References of the recent items under the same model: a and b mean something else under another."""
    common = sorted(set(recent) & set(reference))
    return {number: reference[number] for number in common if reference[number].model == recent[number].model}


def _row(
    model: str, params: Mapping[str, Any], se: Mapping[str, Any] | None, cov_ab: float | None, source: str
) -> ItemRow:
    known, errors = ({n: float(p[n]) for n in PARAMETERS if p.get(n) is not None} for p in (params, se or {}))
    return ItemRow(model, known, errors, cov_ab or 0.0, source)


def bank_of(rows: Mapping[int, ItemRow]) -> irt.Items:
    """The items of these rows, by item_no."""
    return items_of_params(rows, [row.model for row in rows.values()], [row.params for row in rows.values()])


def _blocks(bank: irt.Items, rows: Sequence[ItemRow]) -> irt.ItemBlocks:
    """Covariance of (a, b) within each item."""
    se_a, se_b, cov_ab = np.array([(row.se.get("a", 0.0), row.se.get("b", 0.0), row.cov_ab) for row in rows]).T
    matrices = np.array([[se_a**2, cov_ab], [cov_ab, se_b**2]])
    return irt.ItemBlocks(bank.ids, np.moveaxis(matrices, -1, 0))
