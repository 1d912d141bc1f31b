"""Items that need a look, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from thetaline.irt.classical.options import OptionTable

WEAK_CORRELATION = 0.10  # item–rest; Ebel (1965) has items below 0.19 rejected or revised
WEAK_SLOPE = 0.35  # Baker (2001): a up to 0.34 is a very low discrimination
EXTREME_SHARE = 0.02  # right, or wrong: fewer tell nothing about the others
FAR_LOCATION = 5.0  # |b| in sd of the population at calibration
ALPHA_GAIN = 0.005
RARE_OPTION = 0.02
FEWEST = 10  # persons whose choice is compared


@dataclass(frozen=True, slots=True)
class ItemFlag:
    """One reason to look at an item."""

    item_id: object
    reason: str


def flags_of(columns: Mapping[str, Any], alpha: float, options: OptionTable, *, keyed: bool) -> tuple[ItemFlag, ...]:
    """The flags of all items, in their order; `keyed` options are alternatives, others the categories of a scale."""
    flags = []
    for place, item_id in enumerate(columns["ids"].tolist()):
        row = {name: values[place] for name, values in columns.items()}
        mine = options.item == place
        reasons = [*_of_score(row), *_of_reliability(row, alpha), *_of_parameters(row)]
        reasons += _of_options(options, mine) if keyed else _of_categories(options, mine)
        flags += [ItemFlag(item_id, reason) for reason in reasons]
    return tuple(flags)


def _of_score(row: Mapping[str, Any]) -> Iterator[str]:
    difficulty, r = row["difficulty"], row["item_rest"]
    if not row["n_answers"]:
        yield "nobody answered it"
        return
    if row["sd"] == 0:
        yield "everybody got the same score"
        return
    if not EXTREME_SHARE <= difficulty <= 1.0 - EXTREME_SHARE:
        yield f"{'hardly anybody' if difficulty < 0.5 else 'nearly everybody'} is right (share {difficulty:.3f})"
    if row["item_rest_high"] < 0:
        yield f"runs backwards: item–rest correlation {r:.2f}; check the key"
    elif r < WEAK_CORRELATION:
        yield f"hardly discriminates: item–rest correlation {r:.2f}"


def _of_reliability(row: Mapping[str, Any], alpha: float) -> Iterator[str]:
    if row["alpha_without"] > alpha + ALPHA_GAIN:
        yield f"alpha is higher without it ({row['alpha_without']:.3f}, with it {alpha:.3f})"


def _of_parameters(row: Mapping[str, Any]) -> Iterator[str]:
    if row["a"] < WEAK_SLOPE:
        yield f"hardly discriminates: a = {row['a']:.2f}"
    if abs(row["b"]) > FAR_LOCATION:
        yield f"b = {row['b']:.1f} lies far from everybody"


def _of_options(options: OptionTable, mine: np.ndarray) -> Iterator[str]:
    right = mine & (options.score > 0)
    wrong = mine & (options.score == 0)
    if not right.any():
        yield "nobody chose a right option; check the key"
        return
    best = np.nanmax(np.where(right, options.rest_correlation, -np.inf))
    for row in np.flatnonzero(wrong):
        attracts = options.rest_correlation[row]
        if options.n[row] >= FEWEST and attracts > max(best, 0.0):
            yield (
                f"option {options.option[row]!r} attracts abler persons than the key (correlation with the rest score "
                f"{attracts:.2f}, the key's {best:.2f}); check the key"
            )
        elif options.share[row] < RARE_OPTION:
            yield f"option {options.option[row]!r} is hardly chosen (share {options.share[row]:.3f})"


def _of_categories(options: OptionTable, mine: np.ndarray) -> Iterator[str]:
    """Categories of a scale, each of which should have abler persons than the one below."""
    rows = np.flatnonzero(mine & (options.n >= FEWEST))
    if len(rows) < 3:  # of two, the item–rest correlation says it
        return
    for lower, upper in pairwise(rows):
        if options.mean_rest[upper] < options.mean_rest[lower]:
            yield (
                f"category {options.option[upper]} has less able persons than category {options.option[lower]} "
                f"(mean rest score {options.mean_rest[upper]:.2f} and {options.mean_rest[lower]:.2f})"
            )
