"""Who answered what and how: the observed answers only, so that memory is linear in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thetaline.errors import ResponsesError
from thetaline.irt._alignment import aligned, check_same_rows, mask_by_id, rows_beside
from thetaline.irt._code_ranges import CategoryRange, answers_by_code, codes_of, joined_ranges, parse_ranges
from thetaline.irt._coding import (
    answer_column,
    code_ids,
    frame,
    frame_column,
    frequencies,
    ids_or_positions,
    plain,
    positions_of,
    union_of_ids,
)
from thetaline.irt._matrix import categories_of_cells, labelled_matrix, observed_cells, own_names
from thetaline.irt._sorted_answers import Sorted, sorted_answers
from thetaline.irt._types import Array, Categories, Ids, Index, Ints, Labelled, Mask

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """M answers of N persons to I items, sorted by person and item; what was not answered is absent.

    `answer` is the category, 0 .. K - 1 (for right and wrong: 1 and 0), counted from the lowest code where `ranges` say
    it, else as it was given.  `counts` are the frequencies of the rows where
    these are patterns rather than persons, else ones.  `items_by_position` says that the item ids were made of a
    matrix's columns, which had no names.  5 bytes an answer; `person` adds 4 when it is asked for.
    """

    person_ids: Ids  # (N,)
    item_ids: Ids  # (I,)
    indptr: Ints  # (N + 1,): answers of person n are at indptr[n] : indptr[n + 1]
    item: NDArray[np.int32]  # (M,)
    answer: Categories  # (M,)
    counts: Array  # (N,)
    items_by_position: bool = False
    ranges: Ints | None = None  # (I, 2) lowest and highest code of each item; None: not declared
    _person: list[NDArray[np.int32]] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for column in (self.person_ids, self.item_ids, self.indptr, self.item, self.answer, self.counts):
            column.setflags(write=False)

    def __repr__(self) -> str:
        """The three sizes."""
        return f"Responses({self.n_persons} persons, {self.n_items} items, {self.n_observations} answers)"

    @property
    def n_persons(self) -> int:
        """N, the number of rows (of patterns, where counts were given)."""
        return len(self.person_ids)

    @property
    def n_items(self) -> int:
        """I."""
        return len(self.item_ids)

    @property
    def n_observations(self) -> int:
        """M, the number of stored answers."""
        return len(self.item)

    @property
    def person(self) -> NDArray[np.int32]:
        """Row of each answer, shape (M,); made on the first call."""
        if not self._person:
            rows = np.repeat(np.arange(self.n_persons, dtype=np.int32), np.diff(self.indptr))
            rows.setflags(write=False)
            self._person.append(rows)
        return self._person[0]

    @property
    def density(self) -> float:
        """Share of the N x I cells that were answered."""
        return self.n_observations / max(1, self.n_persons * self.n_items)

    def to_frame(self) -> pd.DataFrame:
        """Return one row an answer: person_id, item_id, answer as coded, count of patterns; needs pandas."""
        columns = {
            "person_id": self.person_ids[self.person],
            "item_id": self.item_ids[self.item],
            "answer": codes_of(self.answer, self.item, self.ranges),
        }
        patterns = {} if (self.counts == 1).all() else {"count": self.counts[self.person]}
        return frame({**columns, **patterns})

    def persons(self, ids: Iterable[object]) -> Responses:
        """Return the answers of these persons, in this order; all items stay.

        Raises ResponsesError for ids that are not there or that are named twice.
        """
        return reordered(self, persons=positions_of(ids, self.person_ids, "persons"))

    def items(self, ids: Iterable[object]) -> Responses:
        """Return the answers to these items, in this order; all persons stay.  Raises ResponsesError as `persons`."""
        return reordered(self, items=positions_of(ids, self.item_ids, "items"))

    def where(self, persons: Any = None, *, items: Any = None, answers: NDArray[np.bool_] | None = None) -> Responses:
        """Return what is true of persons, of items, of answers.

        `persons` and `items` are booleans: a Series or a mapping goes by id, an array by `person_ids` or `item_ids`;
        `answers` goes by `answer` (M,) and keeps all persons and items.  Raises ResponsesError.
        """
        kept = self if answers is None else answers_of(self, mask_by_id(answers, np.arange(len(self.item)), "answers"))
        if items is not None:
            kept = items_of(kept, mask_by_id(items, self.item_ids, "items"))
        return kept if persons is None else persons_of(kept, mask_by_id(persons, self.person_ids, "persons"))

    def joined(self, other: Responses) -> Responses:
        """Return the answers of both; persons and items that only `other` has come after those of this.

        Raises ResponsesError for a (person, item) pair that both have, and for a person whose frequencies differ.
        """
        return joined(self, other)

    @classmethod
    def from_long(
        cls,
        user_ids: ArrayLike,
        item_ids: ArrayLike,
        correct: ArrayLike,
        *,
        categories: CategoryRange | None = None,
    ) -> Responses:
        """Take three equally long columns, one row an answer; ids are hashable scalars, `correct` is 0/1 or a category.

        `categories` are the codes that an answer may have, (lowest, highest), one pair for all items or by item id; a
        scale of 1 … K that is not declared is understood by `calibrate`.

        Raises ResponsesError for columns of different length, missing ids, answers that are no category, and for a
        person who has two answers to one item: which of them counts is the caller's rule (say, the first); InputError
        for Series whose labels differ, of which one was sorted or cut.
        """
        check_same_rows(user_ids=user_ids, item_ids=item_ids, correct=correct)
        given = answer_column(correct) if categories is None else plain(correct)
        persons, person_codes = code_ids(user_ids, "user_ids")
        items, item_codes = code_ids(item_ids, "item_ids")
        lengths = (len(person_codes), len(item_codes), len(given))
        if len(set(lengths)) > 1:
            raise ResponsesError(f"user_ids, item_ids and correct differ in length: {lengths}")
        if not lengths[0]:
            raise ResponsesError("there are no answers")
        ranges = None if categories is None else parse_ranges(categories, items)
        answers = given if ranges is None else answers_by_code(given, item_codes, items, ranges)
        sorted_columns = sorted_answers((persons, items), (person_codes, item_codes), answers)
        return cls(persons, items, *sorted_columns, np.ones(len(persons)), ranges=ranges)

    @classmethod
    def from_frame(
        cls,
        table: Any,
        *,
        user: str = "user_id",
        item: str = "item_id",
        correct: str = "is_correct",
        categories: CategoryRange | None = None,
    ) -> Responses:
        """Take a pandas, polars or pyarrow table with one row an answer; raises ResponsesError as `from_long` does."""
        columns = (frame_column(table, name) for name in (user, item, correct))
        return cls.from_long(*columns, categories=categories)

    @classmethod
    def from_matrix(
        cls,
        x: Any,
        *,
        persons: Sequence[Any] | None = None,
        items: Sequence[Any] | None = None,
        counts: Labelled | None = None,
        categories: CategoryRange | None = None,
    ) -> Self:
        """Take an (N, I) matrix of categories with NaN (or NA) where there is no answer.

        The columns of a data frame (pandas, polars, pyarrow) are the item ids, its index the person ids; `persons` and
        `items` name rows and columns by position instead.  Without names they are numbered from 0, and the items are
        `items_by_position`.  `counts` are frequencies of the rows: a Series or mapping by person id, an array in the
        order of the rows.  `categories` are the codes that an answer may have, as for `from_long`.  A row without any
        answer stays a person: `score` says what is known.

        Raises ResponsesError for cells that are no category and for ids or counts that do not fit.
        """
        matrix = labelled_matrix(x)
        observed, values = observed_cells(matrix)
        n_persons, n_items = observed.shape
        person_ids = ids_or_positions(own_names(persons, matrix.rows, "persons"), n_persons, "persons")
        item_ids = ids_or_positions(own_names(items, matrix.columns, "items"), n_items, "items")
        rows = matrix.rows if matrix.rows is not None else rows_beside(persons, n_persons)
        weights = np.ones(n_persons)
        if counts is not None:
            weights = frequencies(aligned(counts, person_ids, "counts", rows=rows), n_persons)
        indptr = np.concatenate([[0], np.cumsum(observed.sum(axis=1))])
        item = np.broadcast_to(np.arange(n_items, dtype=np.int32), observed.shape)[observed]
        numbered = items is None and matrix.numbered
        ranges = None if categories is None else parse_ranges(categories, item_ids)
        if ranges is None:
            answers = categories_of_cells(matrix, observed, values)
        else:
            answers = answers_by_code(values, item, item_ids, ranges)
        return cls(person_ids, item_ids, indptr, item, answers, weights, numbered, ranges)


def persons_of(responses: Responses, chosen: Mask) -> Responses:
    """The answers of some persons (N,); all items stay."""
    rows, taken = np.flatnonzero(chosen), chosen[responses.person]
    indptr = np.concatenate([[0], np.cumsum(np.diff(responses.indptr)[rows])])
    return replace(
        responses,
        person_ids=responses.person_ids[rows],
        indptr=indptr,
        item=responses.item[taken],
        answer=responses.answer[taken],
        counts=responses.counts[rows],
    )


def items_of(responses: Responses, chosen: Mask) -> Responses:
    """The answers to some items (I,); all persons stay, also those without an answer left."""
    if chosen.all():
        return responses
    kept = answers_of(responses, chosen[responses.item])
    position = np.cumsum(chosen) - 1
    item = position[kept.item].astype(np.int32)
    ranges = None if kept.ranges is None else kept.ranges[chosen]
    return replace(kept, item_ids=kept.item_ids[chosen], item=item, ranges=ranges)


def answers_of(responses: Responses, chosen: Mask) -> Responses:
    """Some of the answers (M,); all persons and items stay."""
    n_answers = np.bincount(responses.person[chosen], minlength=responses.n_persons)
    indptr = np.concatenate([[0], np.cumsum(n_answers)])
    return replace(responses, indptr=indptr, item=responses.item[chosen], answer=responses.answer[chosen])


def reordered(responses: Responses, persons: Index | None = None, items: Index | None = None) -> Responses:
    """Only these persons (n,) or items (i,), by their positions, in this order."""
    n_persons, n_items = responses.n_persons, responses.n_items
    rows = np.arange(n_persons) if persons is None else persons
    columns = np.arange(n_items) if items is None else items
    person = _places(rows, n_persons)[responses.person]
    item = _places(columns, n_items)[responses.item]
    taken = (person >= 0) & (item >= 0)
    ids = responses.person_ids[rows], responses.item_ids[columns]
    answers = sorted_answers(ids, (person[taken], item[taken]), responses.answer[taken])
    out = _with(responses, ids, answers, counts=responses.counts[rows])
    return out if out.ranges is None else replace(out, ranges=out.ranges[columns])


def _places(chosen: Index, n: int) -> NDArray[np.int32]:
    """Where each of n things stands among the chosen ones; -1 for what is not chosen."""
    places = np.full(n, -1, dtype=np.int32)
    places[chosen] = np.arange(len(chosen), dtype=np.int32)
    return places


def joined(first: Responses, second: Responses) -> Responses:
    """The answers of both; raises ResponsesError where they contradict each other."""
    if first.items_by_position and second.items_by_position and first.n_items != second.n_items:
        raise ResponsesError(
            f"the items have no names, only their positions in matrices of {first.n_items} and {second.n_items} "
            "columns, which do not say what is the same item; name them: Responses.from_matrix(x, items=...)"
        )
    person_ids, persons = union_of_ids(first.person_ids, second.person_ids)
    item_ids, items = union_of_ids(first.item_ids, second.item_ids)
    counts = np.ones(len(person_ids))
    counts[persons] = second.counts
    both = persons < first.n_persons
    differ = np.flatnonzero(first.counts[persons[both]] != second.counts[both])
    if differ.size:
        name = second.person_ids[both][differ[0]]
        raise ResponsesError(f"person {name!r} stands for different numbers of people in the two; rename one of them")
    counts[: first.n_persons] = first.counts
    person = np.concatenate([first.person, persons[second.person]])
    item = np.concatenate([first.item, items[second.item]])
    ids = person_ids, item_ids
    answers = sorted_answers(ids, (person, item), np.concatenate([first.answer, second.answer]))
    out = _with(first, ids, answers, counts=counts)
    by_position = first.items_by_position and second.items_by_position
    return replace(out, items_by_position=by_position, ranges=joined_ranges(first.ranges, second.ranges, items))


def _with(responses: Responses, ids: tuple[Ids, Ids], answers: Sorted, *, counts: Array) -> Responses:
    indptr, item, answer = answers
    return replace(
        responses, person_ids=ids[0], item_ids=ids[1], indptr=indptr, item=item, answer=answer, counts=counts
    )
