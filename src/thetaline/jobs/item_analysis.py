"""What is known of each item: the classical statistics of a window's answers, the published parameters, their fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from thetaline import irt
from thetaline.db import queries
from thetaline.db.connection import Connection
from thetaline.errors import ResponsesError
from thetaline.irt.grid import normal_log_weights
from thetaline.jobs.abilities.item_bank import SQL as BANK, ItemBank, find_item_bank
from thetaline.jobs.arrays import Array, Mask
from thetaline.jobs.calibration.window import WindowAnswers, load_answers
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.learning.windows import Window

NODES, REACH = 61, 6.0  # of the population's normal, in its standard deviations
COLUMNS = (
    "code", "item_id", "n_answers", "share_right", "item_rest", "a", "se_a", "b", "se_b", "infit", "rmsd", "flags",
)  # fmt: skip

ItemRow = Mapping[str, Any]  # by COLUMNS; None for what is not known


@dataclass(frozen=True, slots=True)
class ItemReport:
    """One row an item in the order of the codes; alpha and omega of the whole window; the run of the parameters."""

    rows: list[ItemRow]
    alpha: irt.Reliability
    omega: irt.Reliability
    run_id: str | None


@dataclass(frozen=True, slots=True)
class _Published:
    """Published items and their population, as the fit statistics read a calibration."""

    items: irt.Items
    population: irt.Population
    anchored: Mask


def item_report(conn: Connection, url: str, window: Window, *, calendar: SchoolCalendar, most: int = 0) -> ItemReport:
    """Of the first answers in the window, at most `most` of them (0: all), and the parameters published by its end.

    Raises ResponsesError for a window without answers.
    """
    answers = load_answers(conn, url, window, calendar=calendar, most=most)
    if not answers.observations.n_answers:
        raise ResponsesError(f"no answered attempts from {window.first_day} to {window.last_day}; set --date or --days")
    responses = _responses(answers)
    bank = find_item_bank(conn, window.last_day)
    parameters = _parameters(conn, window.last_day)
    analysis = irt.item_analysis(responses, fit=_known(responses, bank))
    fit = {} if bank is None else _fit(responses, bank)
    ids = answers.observations.item_ids.tolist()
    codes, flags = queries.item_codes(conn, ids), analysis.flagged()
    rows = [
        {
            "code": codes.get(item_id, item_id),
            "item_id": item_id,
            "n_answers": int(analysis.n_answers[place]),
            "share_right": _number(analysis.difficulty[place]),
            "item_rest": _number(analysis.item_rest[place]),
            **parameters.get(number, dict.fromkeys(("a", "se_a", "b", "se_b"))),
            **fit.get(number, {"infit": None, "rmsd": None}),
            "flags": "; ".join(flags.get(number, [])),
        }
        for place, (number, item_id) in enumerate(zip(responses.item_ids.tolist(), ids, strict=True))
    ]
    run_id = None if bank is None else bank.run_id
    return ItemReport(sorted(rows, key=lambda row: str(row["code"])), analysis.alpha, analysis.omega, run_id)


def _responses(answers: WindowAnswers) -> irt.Responses:
    """Under the items' numbers, which ascend as the ids of the observations do."""
    observed = answers.observations
    return irt.Responses.from_long(observed.user, answers.item_no[observed.item], observed.correct)


def _known(responses: irt.Responses, bank: ItemBank | None) -> irt.Items | None:
    """The bank, where it has every item; its slopes and difficulties are then looked at too."""
    if bank is None or not set(responses.item_ids.tolist()) <= set(bank.items.ids.tolist()):
        return None
    return bank.items


def _fit(responses: irt.Responses, bank: ItemBank) -> dict[int, dict[str, float | None]]:
    nodes = bank.mean + bank.sd * np.linspace(-REACH, REACH, NODES)
    weights = np.exp(normal_log_weights(nodes, bank.mean, bank.sd))
    moments = np.array([bank.mean]), np.array([bank.sd])
    population = irt.Population(("all",), *moments, nodes[None], weights[None])
    if not np.isin(responses.item_ids.astype(np.int64), bank.item_no).any():
        return {}
    found = irt.item_fit(_Published(bank.items, population, np.zeros(len(bank.items), dtype=bool)), responses)
    return {
        int(number): {"infit": _number(infit), "rmsd": _number(rmsd)}
        for number, infit, rmsd in zip(found.ids, found.infit, found.rmsd, strict=True)
    }


def _parameters(conn: Connection, day: date) -> dict[int, dict[str, float | None]]:
    """The published parameters by the item's number, with their errors."""
    rows = conn.execute(BANK["items_on"], {"as_of": day}).fetchall()
    return {number: _with_errors(params) for number, _, params, *_ in rows}


def _with_errors(params: Mapping[str, Any]) -> dict[str, float | None]:
    errors = params.get("se") or {}
    return {"a": params.get("a"), "se_a": errors.get("a"), "b": params.get("b"), "se_b": errors.get("b")}


def _number(value: float | Array) -> float | None:
    return float(value) if np.isfinite(value) else None
