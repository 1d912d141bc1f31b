"""The key of a test: what each response to an item is worth."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from thetaline.errors import InputError
from thetaline.irt.classical.score_key import option_text
from thetaline.jobs.importing.columns import listed, plain_name
from thetaline.jobs.importing.files import AnswerFile, open_answer_file

ITEM = ("item_id", "question_id", "item", "question", "problem_id", "itemid", "questionid", "code")
RESPONSE = ("key", "correct_answer", "right_answer", "answer", "response", "option", "correct")
CREDIT = ("score", "credit", "points")


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """{item: {response: credit 0..1}}, responses as `option_text` makes them; one that is not named is worth 0."""

    credits: Mapping[str, Mapping[str, float]]

    def credit(self, item: str, response: str) -> float | None:
        """What the response is worth; None for an item without a key."""
        of_item = self.credits.get(item)
        return None if of_item is None else of_item.get(option_text(response), 0.0)


def read_answer_key(path: Path) -> AnswerKey:
    """A file with a row an item (`item`, `key`; several right responses as `A|C`), or a row a response (and `score`).

    Raises InputError for a file without such columns, and for a credit that is outside 0..1.
    """
    source = open_answer_file(path)
    item, response = (_column(source, *names) for names in (("item", ITEM), ("key", RESPONSE)))
    credit = _first(source, CREDIT)
    credit_of: dict[str, dict[str, float]] = {}
    for line, values in _rows(source, [item, response, *([credit] if credit else [])]):
        worth = 1.0 if credit is None else _worth(path, line, values[2])
        if not values[0] or not values[1]:
            raise InputError(f"--key {path}: line {line} has no item or no response")
        for one in re.split(r"[|;]", values[1]):
            credit_of.setdefault(unicodedata.normalize("NFC", values[0].strip()), {})[option_text(one)] = worth
    return AnswerKey(credit_of)


def _rows(source: AnswerFile, columns: Sequence[str]) -> Iterator[tuple[int, list[str | None]]]:
    for batch in source.batches(columns):
        for rejected in batch.rejected:
            raise InputError(f"--key {source.path}: line {rejected.line}: {rejected.reasons[0]}")
        texts = [batch.columns[name].to_pylist() for name in columns]
        yield from zip(batch.lines, map(list, zip(*texts, strict=True)), strict=True)


def _column(source: AnswerFile, what: str, usual: Sequence[str]) -> str:
    name = _first(source, usual)
    if name is None:
        raise InputError(
            f"--key {source.path}: no column for the {what}; call it {' or '.join(usual[:2])}; "
            f"its columns are: {listed(source.names)}"
        )
    return name


def _first(source: AnswerFile, usual: Sequence[str]) -> str | None:
    known = {plain_name(name): name for name in reversed(source.names)}
    return next((known[name] for name in usual if name in known), None)


def _worth(path: Path, line: int, text: str | None) -> float:
    try:
        worth = float(text or "")
    except ValueError:
        worth = -1.0
    if not 0.0 <= worth <= 1.0:
        raise InputError(f"--key {path}: line {line} gives the credit {text!r}; it must be a number 0..1")
    return worth
