"""What the tests of drift say, as alerts for a person: how grave a change is, and what is proposed."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

import numpy as np

from thetaline import irt
from thetaline.jobs.arrays import Array, Mask
from thetaline.jobs.drift.comparison import Comparison
from thetaline.jobs.drift.monitor import Watched

ALPHA = 0.02  # of the p-values adjusted for the number of items; docs/decisions/0607
WARNING_EFFECT, CRITICAL_EFFECT = 0.05, 0.10  # change of the mean score, limits of P-DIF (Dorans & Holland 1993)


class Severity(StrEnum):
    """Of a significant change, by the change of the mean score: below 0.05, below 0.10, from 0.10."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One item that changed; `effect` is the change of its mean score over N(0, 1), negative when it got harder.

    It is found by the comparison of two calibrations (`p_adjusted`) or by the answers of the weeks (`log_odds`, and
    the Monday `since` which the change is seen).
    """

    item_no: int
    item_id: str
    is_anchor: bool
    severity: Severity
    effect: float
    change_a: float | None = None
    change_b: float
    z_b: float
    p_adjusted: float | None = None
    log_odds: float | None = None
    since: str | None = None
    reference: str
    proposal: str | None


def compared_alerts(found: irt.Drift, comparison: Comparison) -> Iterator[Alert]:
    """Of the items whose parameters differ from their reference, the largest effect first."""
    for row in _gravest(found.p_adjusted < ALPHA, found.effect):
        number, effect = int(found.ids[row]), float(found.effect[row])
        is_anchor = number in comparison.anchors
        yield Alert(
            **_about(number, comparison.names[number], is_anchor=is_anchor, effect=effect),
            change_a=float(found.change_a[row]),
            change_b=float(found.change_b[row]),
            z_b=float(found.z_b[row]),
            p_adjusted=float(found.p_adjusted[row]),
            reference=comparison.reference[number].source,
        )


def watched_alerts(watched: Watched) -> Iterator[Alert]:
    """Of the items whose answers over the weeks say that they changed, the largest effect first."""
    effect, found = watched.effect, watched.found
    for row in _gravest(watched.changed, effect):
        number = int(watched.item_no[row])
        yield Alert(
            **_about(number, watched.ids[number], is_anchor=number in watched.anchors, effect=float(effect[row])),
            change_b=float(found.change[row]),
            z_b=float(found.z[row]),
            log_odds=float(found.log_odds[row]),
            since=str(watched.since(row)),
            reference=watched.names[row],
        )


def _gravest(chosen: Mask, effect: Array) -> list[int]:
    rows = np.flatnonzero(chosen)
    return [int(row) for row in rows[np.argsort(-np.abs(effect[rows]), kind="stable")]]


class _About(TypedDict):
    item_no: int
    item_id: str
    is_anchor: bool
    severity: Severity
    effect: float
    proposal: str | None


def _about(number: int, item_id: str, *, is_anchor: bool, effect: float) -> _About:
    severity = severity_of(effect)
    return {
        "item_no": number,
        "item_id": item_id,
        "is_anchor": is_anchor,
        "severity": severity,
        "effect": effect,
        "proposal": _proposal(severity, is_anchor=is_anchor),
    }


def severity_of(effect: float) -> Severity:
    """By the limits of P-DIF."""
    if abs(effect) >= CRITICAL_EFFECT:
        return Severity.CRITICAL
    return Severity.WARNING if abs(effect) >= WARNING_EFFECT else Severity.INFO


def _proposal(severity: Severity, *, is_anchor: bool) -> str | None:
    if severity is Severity.INFO:
        return None
    return "retire as anchor" if is_anchor else "review the question"
