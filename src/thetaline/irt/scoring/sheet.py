"""Answers matched to a bank: what every scorer reads, block of persons by block of persons."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from thetaline.errors import ResponsesError
from thetaline.irt.derivatives import Alike, Array, Index, alike
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses

BLOCK_CELLS = 1 << 18  # person × node cells, and answers, of one block: 2 MB a matrix, which a core's cache holds
THREADED_FROM = 4_000_000  # cells from which threads pay for themselves


def available_processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


@dataclass(frozen=True, eq=False)
class Sheet:
    """M answers of N persons to the items of `bank`, which holds only those that somebody answered."""

    bank: Items
    indptr: NDArray[np.int64]  # (N + 1,)
    item: NDArray[np.int32]  # (M,) positions in the bank
    answer: NDArray[np.uint8]  # (M,)

    @property
    def n_persons(self) -> int:
        """N."""
        return len(self.indptr) - 1

    @property
    def n_answers(self) -> Index:
        """Answers of each person, (N,)."""
        return np.diff(self.indptr)

    @cached_property
    def parts(self) -> list[Alike]:
        """The bank by formula and number of categories."""
        return list(alike(self.bank))

    @cached_property
    def home(self) -> tuple[Index, Index]:
        """Of each item, (I,): its part, and its position within it."""
        part, within = np.empty(len(self.bank), dtype=np.intp), np.empty(len(self.bank), dtype=np.intp)
        for number, alike_items in enumerate(self.parts):
            part[alike_items.index] = number
            within[alike_items.index] = np.arange(len(alike_items.index))
        return part, within

    @cached_property
    def person(self) -> Index:
        """Row of each answer, (M,)."""
        return np.repeat(np.arange(self.n_persons), self.n_answers)

    def per_person(self, values: Array) -> Array:
        """Sum (M,) values over each person's answers, (N,)."""
        return np.asarray(np.bincount(self.person, values, self.n_persons), dtype=np.float64)

    def one_hot(self) -> "sparse.csr_array":
        """(N, ΣK) with a 1 for every answer: times a category table it sums the table over a person's answers."""
        return self._sparse((self.bank.offsets[self.item] + self.answer).astype(np.int32), int(self.bank.offsets[-1]))

    def answered(self) -> "sparse.csr_array":
        """(N, I) with a 1 where an item was answered."""
        return self._sparse(self.item, len(self.bank))

    def _sparse(self, columns: NDArray[np.int32], width: int) -> "sparse.csr_array":
        indptr = self.indptr.astype(np.int32)  # as wide as the columns: else SciPy widens those for every product
        return sparse.csr_array((np.ones(len(columns)), columns, indptr), shape=(self.n_persons, width))

    def persons(self, start: int, stop: int) -> Self:
        """A slice of persons that shares the bank and the arrays."""
        rows = slice(self.indptr[start], self.indptr[stop])
        return self._with(self.indptr[start : stop + 1] - self.indptr[start], self.item[rows], self.answer[rows])

    def chosen(self, who: Index) -> Self:
        """The persons at these positions, in this order."""
        if len(who) == self.n_persons:  # callers keep the order: all of them are these
            return self
        lengths = self.n_answers[who]
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        rows = np.arange(indptr[-1]) + np.repeat(self.indptr[who] - indptr[:-1], lengths)
        return self._with(indptr, self.item[rows], self.answer[rows])

    def _with(self, indptr: NDArray[np.int64], item: NDArray[np.int32], answer: NDArray[np.uint8]) -> Self:
        made = type(self)(self.bank, indptr, item, answer)
        for name in ("parts", "home"):
            made.__dict__[name] = getattr(self, name)
        return made

    def blocks(self, n_nodes: int) -> Iterator[tuple[slice, Self]]:
        """Consecutive persons, so many that neither cells nor answers are more than a block holds (one at least)."""
        size = max(1, BLOCK_CELLS // n_nodes)
        for first in range(0, self.n_persons, size):
            last, start = min(first + size, self.n_persons), first
            while start < last:
                most = np.searchsorted(self.indptr, self.indptr[start] + BLOCK_CELLS, side="right") - 1
                stop = max(start + 1, min(int(most), last))
                yield slice(start, stop), self.persons(start, stop)
                start = stop

    def for_blocks(self, n_nodes: int, work: Callable[[slice, Self], None]) -> None:
        """Do `work` for every block, on as many threads as pay: blocks share nothing, so that results do not differ."""
        blocks = list(self.blocks(n_nodes))
        if self.n_persons * n_nodes < THREADED_FROM:
            for rows, block in blocks:
                work(rows, block)
            return
        with ThreadPoolExecutor(available_processors()) as threads:
            list(threads.map(lambda job: work(*job), blocks))


def match(responses: Responses, items: Items) -> Sheet:
    """Look the answered items up in the bank.

    Raises ItemsError for items that the bank does not hold, ResponsesError for answers beyond an item's categories.
    """
    used = np.flatnonzero(np.bincount(responses.item, minlength=responses.n_items))
    bank = items.take(responses.item_ids[used])
    position = np.zeros(responses.n_items, dtype=np.int32)
    position[used] = np.arange(len(used), dtype=np.int32)
    item = position[responses.item]
    _refuse_unknown_categories(bank, item, responses.answer)
    return Sheet(bank, responses.indptr, item, responses.answer)


def _refuse_unknown_categories(bank: Items, item: NDArray[Any], answer: NDArray[np.uint8]) -> None:
    beyond = answer >= bank.n_categories[item]
    if beyond.any():
        worst = int(np.flatnonzero(beyond)[0])
        names = bank.ids[np.unique(item[beyond])][:5].tolist()
        raise ResponsesError(
            f"{np.count_nonzero(beyond)} answers are beyond their item's categories: items {names}, first answer "
            f"{answer[worst]} where 0 … {bank.n_categories[item[worst]] - 1} are possible"
        )
