"""Wide files, a row a learner and a column an item, as rows of one answer each."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np
import pyarrow as pa

from thetaline.errors import InputError
from thetaline.irt.classical.score_key import option_text
from thetaline.jobs.arrays import Index, Objects
from thetaline.jobs.importing.columns import (
    Choice,
    Columns,
    Role,
    base_name,
    chosen_columns,
    listed,
    plain_name,
    usual_columns,
)
from thetaline.jobs.importing.files import AnswerFile, RowBatch

CELLS = 262_144  # in memory at once
ITEM, ANSWER, FULL_SCORE, ROW = "(column)", "(cell)", "(full score)", "(row number)"
MADE = (ITEM, ANSWER, FULL_SCORE, ROW)  # columns that the file does not have
LEARNER_NAMES = ("student_name", "full_name", "name", "email_address", "email", "username")  # where there is no id
ROW_NAMES = ("", "rownames", "unnamed: 0", "...1")  # what R and pandas call the column of a frame's row names
_ROLES = (Role.USER, Role.TIME, Role.SESSION, Role.ATTEMPT)  # that are found by usual names


@dataclass(frozen=True, slots=True)
class WideForm:
    """Which columns are items, and how a cell says right or wrong."""

    items: tuple[str, ...] = ()  # globs; none: every column without a role
    pattern: str = ""  # of those columns: group `code` of a column's name is the item's code, `points` its full score
    next_is_score: bool = False  # the column after an item's has its points, and the full score for a name
    right_answer: str = ""  # name of the column that an item's cell must equal, with {code} in it
    numbered: bool = False  # the codes are the items' places in one test, where other tests have others


@dataclass(frozen=True, slots=True)
class _ItemColumn:
    code: str
    response: str
    score: str
    full_score: str | None = None
    right_answer: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in (self.response, self.score, self.right_answer) if name))


def melted(
    source: AnswerFile,
    form: WideForm,
    choice: Choice,
    *,
    scored: bool,
    missing: Sequence[str],
    aside: Sequence[str] = (),
) -> tuple[AnswerFile, Columns]:
    """The file as one of long form, and its columns by role; `scored` cells are scores.  An empty cell is no row;
    columns `aside` are no items.

    Raises InputError where no column is an item, or one is named that the file does not have.
    """
    columns = _learner_columns(source, choice)
    used = {name for its in columns.values() for name in its} | set(aside)
    items = _item_columns(source.names, form, used)
    if not items:
        wanted = form.pattern or ", ".join(form.items) or "any"
        raise InputError(f"no column is an item (wanted: {wanted}); the columns are: {listed(source.names)}")
    full = any(item.full_score for item in items)
    role = Role.RESPONSE if choice.keyed else Role.SCORE if scored or full else Role.CORRECT
    of_cells = {Role.ITEM: (ITEM,), role: (ANSWER,), **({Role.MAX_SCORE: (FULL_SCORE,)} if full else {})}
    kind = f"{source.kind}, wide: {len(items)} item columns ({items[0].code} … {items[-1].code})"
    item_names = {name for item in items for name in item.columns}
    left = tuple(name for name in source.names if name not in item_names)
    names = (*left, ROW, ITEM, ANSWER, FULL_SCORE)
    return (
        replace(source, names=names, kind=kind, batches=lambda wanted: _batches(source, items, wanted, missing)),
        {**columns, **of_cells},
    )


def _learner_columns(source: AnswerFile, choice: Choice) -> dict[Role, tuple[str, ...]]:
    columns = usual_columns(source.names, chosen_columns(source, choice.columns), only=_ROLES)
    if Role.USER not in columns:
        columns = {Role.USER: (_learner_column(source.names),), **columns}
    return columns


def _learner_column(names: Sequence[str]) -> str:
    """A column of names, that of the row names, or else the rows' numbers."""
    known = {plain_name(name): name for name in reversed(names)}
    named = next((known[name] for name in LEARNER_NAMES if name in known), None)
    return named or (names[0] if names[0].casefold() in ROW_NAMES else ROW)


def _item_columns(names: Sequence[str], form: WideForm, used: set[str]) -> list[_ItemColumn]:
    items = []
    for place, name in enumerate(names):
        found = re.fullmatch(form.pattern, name) if form.pattern else None
        is_item = any(fnmatchcase(name, glob) for glob in form.items) if form.items else name not in used
        if not is_item or (form.pattern and found is None):
            continue
        parts = found.groupdict() if found else {}
        code = parts.get("code") or name
        if form.next_is_score and place + 1 < len(names):
            score = names[place + 1]
            items.append(_ItemColumn(code, name, score, full_score=base_name(score)))
        else:
            right = form.right_answer.format(code=code) if form.right_answer else None
            items.append(_ItemColumn(code, name, name, parts.get("points"), right))
    return items


def _batches(
    source: AnswerFile, items: Sequence[_ItemColumn], wanted: Sequence[str], missing: Sequence[str]
) -> Iterator[RowBatch]:
    kept = [name for name in wanted if name not in MADE]
    needed = dict.fromkeys([*kept, *(name for item in items for name in item.columns)])
    step, first = max(1, CELLS // len(items)), 0
    for batch in source.batches(list(needed)):
        rejected = batch.rejected
        for start in range(0, max(1, len(batch.lines)), step):
            part = {name: texts.slice(start, step) for name, texts in batch.columns.items()}
            lines = np.asarray(batch.lines[start : start + step])
            numbers = pa.array([str(first + 1 + n) for n in range(len(lines))], pa.large_string())
            learner = {**{name: part[name] for name in kept}, ROW: numbers}
            melt = _melt(_cell_matrix(part, items, missing), items, lines, learner)
            yield replace(melt, columns={name: melt.columns[name] for name in wanted}, rejected=rejected)
            rejected, first = (), first + len(lines)


def _cell_matrix(columns: Mapping[str, pa.Array], items: Sequence[_ItemColumn], missing: Sequence[str]) -> Objects:
    """(N, I) what was answered."""
    n = len(next(iter(columns.values())))
    cells = np.empty((n, len(items)), dtype=object)
    for place, item in enumerate(items):
        cells[:, place] = _cells(item, columns, missing)
    return cells


def _melt(cells: Objects, items: Sequence[_ItemColumn], lines: Index, kept: Mapping[str, pa.Array]) -> RowBatch:
    """The cells row by row, those of a row in the order of the columns; the learner's `kept` columns with each."""
    observed = cells != None  # noqa: E711  (of an array of objects)
    row, column = np.nonzero(observed)
    codes = pa.array([item.code for item in items], pa.large_string())
    full = pa.array([item.full_score for item in items], pa.large_string())
    melted_columns = {
        **{name: texts.take(pa.array(row)) for name, texts in kept.items()},
        ITEM: codes.take(pa.array(column)),
        ANSWER: pa.array(cells[observed], pa.large_string()),
        FULL_SCORE: full.take(pa.array(column)),
    }
    return RowBatch(lines[row].tolist(), melted_columns, empty_cells=int(observed.size - len(row)))


def _cells(item: _ItemColumn, columns: Mapping[str, pa.Array], missing: Sequence[str]) -> list[str | None]:
    """What each learner answered: the text, the points, or 1 where it is the right answer; None for nothing."""
    texts = [_present(text, missing) for text in columns[item.score].to_pylist()]
    if item.right_answer is None:
        return texts
    right = [_present(key, missing) for key in columns[item.right_answer].to_pylist()]
    return [None if text is None else _compared(text, key) for text, key in zip(texts, right, strict=True)]


def _compared(text: str, key: str | None) -> str:
    """1 or 0 by the right answer; an essay has none, and no text that a parser takes."""
    return f"{text} (no right answer)" if key is None else str(int(option_text(text) == option_text(key)))


def _present(text: str | None, missing: Sequence[str]) -> str | None:
    return None if text is None or text.strip().casefold() in missing else text
