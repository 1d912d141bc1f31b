"""Watches the location of each item over the weeks since its reference, and says which have changed, and since when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import DTypeLike, NDArray

from thetaline import db, irt
from thetaline.db.bulk import read_columns
from thetaline.irt.change_points import ChangePoints, change_points, power_of
from thetaline.jobs.arrays import Array, Ints, Mask
from thetaline.jobs.drift.comparison import ItemRow, bank_of, has_errors, references_before
from thetaline.jobs.runner import JobContext
from thetaline.learning.windows import monday

SQL = db.sql("jobs/drift/monitor.sql")
LOG_LIMIT = float(np.log(600.0))  # of the odds of a change; docs/decisions/0607
LOOKED_BACK = timedelta(weeks=53)
POWER_CHANGE, POWER_DAYS = 0.9, 30  # of b, and after it
SERIES: dict[str, DTypeLike] = {
    "item_no": np.int32,
    "week": "datetime64[D]",
    "n_answers": np.int32,
    "score": np.float64,
    "information": np.float64,
    "location": np.float64,
}


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """I items with answers since their reference, what these say, and `names` of the references."""

    item_no: Ints  # (I,)
    bank: irt.Items  # their references
    names: tuple[str, ...]
    ids: dict[int, str]  # item_id by item_no
    anchors: frozenset[int]
    weeks: NDArray[np.datetime64]  # (T,) Mondays
    found: ChangePoints
    power: Array  # (I,) of seeing a change by POWER_CHANGE within POWER_DAYS, at the rate of answers so far

    @property
    def changed(self) -> Mask:
        """(I,) whether the odds of a change are beyond the limit."""
        return np.nan_to_num(self.found.log_odds, nan=-np.inf) > LOG_LIMIT

    @property
    def effect(self) -> Array:
        """(I,) change of the mean score over N(0, 1), negative where the item got harder."""
        theta = np.linspace(-5.0, 5.0, 81)
        weight = np.exp(-0.5 * theta**2)
        moved = self.bank.replaced(b=self.bank.b + self.found.change)
        gap = moved.expected_score(theta) - self.bank.expected_score(theta)
        return np.asarray(gap @ (weight / weight.sum()))

    def since(self, row: int) -> date:
        """The Monday from which on the change is seen."""
        return date.fromisoformat(str(self.weeks[self.found.first[row]]))


def watch(context: JobContext) -> Watched | None:
    """What the stored weeks up to the run's date say; None without any."""
    references = references_before(context.conn, monday(context.as_of))
    decided = {number: context.calendar.day_of(at) for number, at in context.conn.execute(SQL["newest_decisions"])}
    after = {number: max(decided.get(number, date.min), context.as_of - LOOKED_BACK) for number in references}
    parameters = {
        "items": list(references),
        "references": [row.source for row in references.values()],
        "after": list(after.values()),
        "as_of": context.as_of,
    }
    rows = read_columns(context.url, SQL["scores"], SERIES, parameters=parameters)
    if not rows["item_no"].size:
        return None
    item_no, item = np.unique(rows["item_no"], return_inverse=True)
    weeks, week = np.unique(rows["week"], return_inverse=True)
    table = np.zeros((2, item_no.size, weeks.size))
    table[0, item, week], table[1, item, week] = rows["score"], rows["information"]
    kept = {number: references[number] for number in item_no.tolist()}
    variance = _reference_variance(kept, _location(item, rows["information"], rows["location"]))
    variance[[number in decided for number in kept]] = np.inf  # what was decided on is no change any more
    names = tuple(_name(row.source, decided.get(number)) for number, row in kept.items())
    found, power = change_points(table[0], table[1], variance), _power(table[1], variance)
    return Watched(
        item_no=item_no.astype(np.int64),
        bank=bank_of(kept),
        names=names,
        ids=dict(context.conn.execute(SQL["names"], {"items": list(kept)}).fetchall()),
        anchors=frozenset(number for number, row in kept.items() if row.is_anchor),
        weeks=weeks,
        found=found,
        power=power,
    )


def _name(source: str, decided: date | None) -> str:
    """A decision on an earlier change is none on one that comes after it."""
    return source if decided is None else f"{source}, answers after {decided}"


def _location(item: NDArray[np.intp], information: Array, location: Array) -> Array:
    """(I,) mean θ of those who answered, weighted by information."""
    return np.bincount(item, information * location) / np.bincount(item, information)


def _reference_variance(references: Mapping[int, ItemRow], location: Array) -> Array:
    """(I,) of b + (θ − b) (a − a_true) / a at the θ of those who answer; infinite where the errors are unknown."""
    rows = list(references.values())
    a, b = (np.array([row.params.get(name, default) for row in rows]) for name, default in (("a", 1.0), ("b", 0.0)))
    se_a, se_b = (np.array([row.se.get(name, 0.0) for row in rows]) for name in ("a", "b"))
    distance = (location - b) / a
    cov_ab = np.array([row.cov_ab for row in rows])
    variance = se_b**2 + distance**2 * se_a**2 - 2.0 * distance * cov_ab
    return np.where([has_errors(row) for row in rows], variance, np.inf)


def _power(information: Array, variance: Array) -> Array:
    """(I,) for a change that begins now, after POWER_DAYS with as many answers a week as on average so far."""
    later = information.mean(axis=1) * POWER_DAYS / 7.0
    return power_of(POWER_CHANGE, 1.0 / (1.0 / variance + information.sum(axis=1)) + 1.0 / later, LOG_LIMIT)
