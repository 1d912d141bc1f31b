"""Threads over blocks of persons: how many, and their results in order, so that their number changes nothing."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import TypeVar

# What a container sees of its own limit (cgroup v2): microseconds of processor time in a period, or "max".
CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")
MOST_THREADS = 8
THREADED_FROM = 100_000  # answers from which threads pay for themselves

A = TypeVar("A")
B = TypeVar("B")


def available_processors() -> int:
    """Processors that this process may use: those it may run on, and no more than its container's share of time."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return min(bound, _processors_of_container() or bound)


def _processors_of_container() -> int | None:
    """A container of two processors on a machine of 64 would else start 64 processes, and run out of memory."""
    try:
        quota, period = CPU_LIMIT.read_text(encoding="ascii").split()
    except OSError:
        return None
    return None if quota == "max" else max(1, ceil(int(quota) / int(period)))


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
