"""Threads over blocks of persons: how many, and their results in order, so that their number changes nothing."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

MOST_THREADS = 8
THREADED_FROM = 100_000  # answers from which threads pay for themselves

A = TypeVar("A")
B = TypeVar("B")


def available_processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def thread_count(threads: int | None, n_answers: float) -> int:
    """Return `threads`, or the processors that this process may use where the answers are enough to pay for them."""
    if threads is not None:
        return max(1, min(MOST_THREADS, threads))
    return min(MOST_THREADS, available_processors()) if n_answers >= THREADED_FROM else 1


@contextmanager
def workers(threads: int | None, n_answers: float) -> Iterator[ThreadPoolExecutor | None]:
    """Give an executor for `thread_count` threads, None where one thread does."""
    n = thread_count(threads, n_answers)
    if n == 1:
        yield None
        return
    with ThreadPoolExecutor(n) as executor:
        yield executor


def map_in_order(executor: ThreadPoolExecutor | None, function: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """Return function(item) of every item, computed by the executor where there is one."""
    return list(map(function, items) if executor is None else executor.map(function, items))


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS to one thread; results then depend neither on the machine's cores nor on its load."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  (20 ms that reading a bank does not need)

    with threadpool_limits(limits=1, user_api="blas"):
        yield
