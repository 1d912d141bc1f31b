"""Options that persons chose, scored by a key."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from thetaline.errors import InputError, ResponsesError
from thetaline.irt._alignment import labelled_dict, labels_of
from thetaline.irt._coding import MAX_CATEGORY, is_missing, objects
from thetaline.irt._matrix import labelled_matrix
from thetaline.irt._types import Ids
from thetaline.irt.classical.options import Choices
from thetaline.irt.responses import Responses

Credits = Mapping[str, int]  # of an item: {option: category}; an option that is not named is 0
SHOWN = 5
WHOLE_NUMBER = re.compile(r"^(-?\d+)\.0+$")


def score_key(frame: Any, key: Any, *, missing: Iterable[object] = ("",)) -> Responses:
    """Score options (N, I), a table or matrix, by the key of each item.

    `key` is {item: option} or a Series by item, or by position a sequence or a text of a letter an item ("ACDB").  An
    option may be a list of right ones, or {option: category} for partial credit.  A, "a " and 1, 1.0, "1"
    are one option.  Cells that are NaN, None or among `missing` are no answers; an option without credit is 0.

    Raises InputError for items without a key, keys without an item, and credits that are no categories.
    """
    options = OptionMatrix(frame, missing)
    credit_of = options.credits(key)
    scores = np.full(options.cells.shape, np.nan)
    for column, credit in enumerate(credit_of):
        scores[:, column] = [np.nan if option is None else credit.get(option, 0) for option in options.cells[:, column]]
    if np.isnan(scores).all():
        raise ResponsesError("there are no answers; every cell is missing")
    return Responses.from_matrix(scores, persons=options.persons, items=options.items)


class OptionMatrix:
    """The options (N, I) that persons chose, as texts that compare; None where there is no answer."""

    def __init__(self, frame: Any, missing: Iterable[object] = ("",)) -> None:
        """Raises InputError for what is no matrix."""
        matrix = labelled_matrix(frame)
        if matrix.cells.ndim != 2 or not matrix.cells.size:
            raise ResponsesError(f"options have the shape (persons, items), not {matrix.cells.shape}")
        nothing = {option_text(one) for one in missing}
        known: dict[Any, str | None] = {}
        texts = [_option(cell, known, nothing) for cell in matrix.cells.ravel().tolist()]
        self.cells: Ids = objects(texts).reshape(matrix.cells.shape)
        self.persons: list[Any] | None = matrix.rows
        self.items: list[Any] | None = None if matrix.numbered else matrix.columns

    def choices(self) -> Choices:
        """What was chosen in every answer, row by row."""
        texts = [text for text in self.cells.ravel().tolist() if text is not None]
        labels = sorted(set(texts))
        place = {text: code for code, text in enumerate(labels)}
        return Choices(np.array([place[text] for text in texts], dtype=np.intp), labels, are_alternatives=True)

    def credits(self, key: Any) -> list[Credits]:
        """The credits of each column's options."""
        n = self.cells.shape[1]
        by_item = isinstance(key, Mapping) or labels_of(key) is not None
        if not by_item:
            entries = list(key)
            if len(entries) != n:
                raise InputError(f"the key has {len(entries)} entries for {n} items")
            return [_credits(entry, place) for place, entry in enumerate(entries)]
        entries_of, names = labelled_dict(key), list(range(n)) if self.items is None else self.items
        _check_same_items(names, list(entries_of))
        return [_credits(entries_of[name], name) for name in names]


def option_text(value: object) -> str:
    """An option as text that compares: composed (NFC), in lower case, without blanks around it, 1.0 as 1."""
    return WHOLE_NUMBER.sub(r"\1", unicodedata.normalize("NFC", str(value)).strip().casefold())


def _option(cell: Any, known: dict[Any, str | None], nothing: set[str]) -> str | None:
    if is_missing(cell):
        return None
    if (type(cell), cell) not in known:
        text = option_text(cell)
        known[type(cell), cell] = None if text in nothing else text
    return known[type(cell), cell]


def _check_same_items(names: Sequence[Any], keyed: Sequence[Any]) -> None:
    without = [name for name in names if name not in set(keyed)]
    if without:
        raise InputError(
            f"the key has no entry for {len(without)} of {len(names)} items, first {without[:SHOWN]}; it has "
            f"{list(keyed)[:SHOWN]}; leave out columns that are no items"
        )
    absent = [name for name in keyed if name not in set(names)]
    if absent:
        raise InputError(f"the key names {len(absent)} items that the table does not have, first {absent[:SHOWN]}")


def _credits(entry: Any, item: object) -> Credits:
    if isinstance(entry, Mapping):
        return {option_text(option): _category(credit, option, item) for option, credit in entry.items()}
    several = entry if isinstance(entry, list | tuple | set | frozenset | np.ndarray) else [entry]
    if any(is_missing(option) for option in several) or not len(several):
        raise InputError(f"the key of item {item!r} is missing")
    return {option_text(option): 1 for option in several}


def _category(credit: Any, option: object, item: object) -> int:
    number = float(credit) if isinstance(credit, int | float | np.number) else float("nan")
    if not (0 <= number <= MAX_CATEGORY and number.is_integer()):
        raise InputError(
            f"item {item!r} gives option {option!r} the credit {credit!r}; a credit is a whole number from 0 to "
            f"{MAX_CATEGORY}: give half a point as 1 and a full one as 2"
        )
    return int(number)
