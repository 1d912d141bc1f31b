"""BatchAnswers matched to a bank: what every scorer reads, block of persons by block of persons."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import ItemsError, ResponsesError
from thetaline.irt._scipy import sparse
from thetaline.irt._types import Array, Categories, Index, Ints
from thetaline.irt.category_codes import matched_categories
from thetaline.irt.item_batches import ItemCurves
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses
from thetaline.irt.scoring.prepared_bank import PreparedBank
from thetaline.irt.threads import available_processors

BLOCK_PERSONS = 1 << 10  # with some 60 nodes half a MB a matrix, which a core's cache holds
BLOCK_ANSWERS = 1 << 18
THREADED_FROM = 1_000_000  # answers from which threads pay for themselves


class BatchAnswers(NamedTuple):
    """BatchAnswers to items of one family: whose they are, the item of each, what was answered."""

    person: Index
    item: ItemCurves
    answer: Categories


@dataclass(frozen=True, eq=False)
class MatchedResponses:
    """M answers of N persons to the items of `bank`."""

    bank: PreparedBank
    indptr: Ints  # (N + 1,)
    item: NDArray[np.int32]  # (M,) positions in the bank
    answer: Categories  # (M,)

    @property
    def n_persons(self) -> int:
        """N."""
        return len(self.indptr) - 1

    @property
    def n_answers(self) -> Index:
        """BatchAnswers of each person, (N,)."""
        return np.diff(self.indptr)

    @cached_property
    def person(self) -> Index:
        """Row of each answer, (M,)."""
        return np.repeat(np.arange(self.n_persons), self.n_answers)

    def per_person(self, values: Array) -> Array:
        """Sum (M,) values over each person's answers, (N,)."""
        return np.bincount(self.person, values, self.n_persons).astype(np.float64, copy=False)

    @cached_property
    def curvature_bound(self) -> Array:
        """Most that the answers' log-likelihood can bend, Σ max_θ −∂² log P / ∂θ², (N,)."""
        return self.per_person(self.bank.curvature_bound[self.item])

    @cached_property
    def one_hot(self) -> "sparse.csr_array":
        """(N, ΣK) with a 1 for every answer: times a category table it sums the table over a person's answers."""
        return self._sparse(self.bank.first_row[self.item] + self.answer, int(self.bank.offsets[-1]))

    @cached_property
    def answered(self) -> "sparse.csr_array":
        """(N, I) with a 1 where an item was answered."""
        return self._sparse(self.item, len(self.bank.items))

    def _sparse(self, columns: NDArray[np.int32], width: int) -> "sparse.csr_array":
        indptr = self.indptr.astype(np.int32)  # as wide as the columns: else SciPy widens those for every product
        return sparse.csr_array((np.ones(len(columns)), columns, indptr), shape=(self.n_persons, width))

    @cached_property
    def answers(self) -> list[BatchAnswers]:
        """The answers, split as the bank is by family, each beside its item's parameters."""
        part_of, within = self.bank.home
        parts = self.bank.parts
        mine = [np.flatnonzero(part_of[self.item] == p) if len(parts) > 1 else slice(None) for p in range(len(parts))]
        return [
            BatchAnswers(self.person[m], part.curves(within[self.item[m]]), self.answer[m])
            for m, part in zip(mine, parts, strict=True)
        ]

    def persons(self, start: int, stop: int) -> Self:
        """Consecutive persons; the answers are shared, not copied."""
        rows = slice(self.indptr[start], self.indptr[stop])
        indptr = self.indptr[start : stop + 1] - self.indptr[start]
        return type(self)(self.bank, indptr, self.item[rows], self.answer[rows])

    def chosen(self, who: Index) -> Self:
        """The persons at these positions, which rise."""
        if len(who) == self.n_persons:
            return self
        lengths = self.n_answers[who]
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        rows = np.arange(indptr[-1]) + np.repeat(self.indptr[who] - indptr[:-1], lengths)
        return type(self)(self.bank, indptr, self.item[rows], self.answer[rows])

    def blocks(self) -> Iterator[slice]:
        """Consecutive persons, so many that neither they nor their answers are more than a block holds."""
        start = 0
        while start < self.n_persons:
            fits = int(np.searchsorted(self.indptr, self.indptr[start] + BLOCK_ANSWERS, side="right")) - 1
            stop = min(max(start + 1, fits), start + BLOCK_PERSONS, self.n_persons)
            yield slice(start, stop)
            start = stop

    def for_blocks(self, work: Callable[[slice, Self], None]) -> None:
        """Do `work` for every block, on threads where they pay: blocks share no results, so that none can differ."""

        def one(rows: slice) -> None:
            work(rows, self.persons(rows.start, rows.stop))

        if len(self.item) < THREADED_FROM:
            for rows in self.blocks():
                one(rows)
            return
        with ThreadPoolExecutor(available_processors()) as threads:
            list(threads.map(one, self.blocks()))


def refuse_other_matrix(responses: Responses, items: Items) -> None:
    """Raise ItemsError where both have only positions for ids, of matrices with different numbers of columns."""
    both = responses.items_by_position and items.by_position
    numbered = [ids.tolist() == list(range(len(ids))) for ids in (responses.item_ids, items.ids)]
    if both and all(numbered) and responses.n_items != len(items):
        raise ItemsError(
            f"the responses have {responses.n_items} columns and the bank comes from {len(items)}, both without names: "
            "their positions do not say what is the same item; name them: Responses.from_matrix(x, items=...)"
        )


def match(responses: Responses, items: Items) -> MatchedResponses:
    """Look the answered items up in the bank.

    Raises ItemsError for items that the bank does not hold, ResponsesError for answers beyond an item's categories;
    warns where the codes may be others than the bank's, see `matched_categories`.
    """
    used = np.flatnonzero(np.bincount(responses.item, minlength=responses.n_items))
    bank, item = items.take(responses.item_ids[used]), responses.item
    if len(used) < responses.n_items:
        position = np.zeros(responses.n_items, dtype=np.int32)
        position[used] = np.arange(len(used), dtype=np.int32)
        item = position[item]
    ranges = None if responses.ranges is None else responses.ranges[used]
    answer = matched_categories(responses.answer, item, bank, ranges)
    _refuse_unknown_categories(bank, item, answer)
    return MatchedResponses(PreparedBank(bank), responses.indptr, item, answer)


def _refuse_unknown_categories(bank: Items, item: NDArray[Any], answer: Categories) -> None:
    if not len(answer) or answer.max() < bank.n_categories.min():
        return
    beyond = answer >= bank.n_categories[item]
    if beyond.any():
        worst = int(np.flatnonzero(beyond)[0])
        names = bank.ids[np.unique(item[beyond])][:5].tolist()
        raise ResponsesError(
            f"{np.count_nonzero(beyond)} answers are beyond their item's categories: items {names}, first answer "
            f"{answer[worst]} where 0 … {bank.n_categories[item[worst]] - 1} are possible"
        )
