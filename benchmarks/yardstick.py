"""Measure ours and a yardstick in the same run, by wall clock and by processor time, and print their ratio.

On a shared machine wall time says how busy the others are; processor time hardly does, so both are printed.  The two
are measured in turns, and the best of each counts.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Time:
    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:8.3f} s ({self.cpu:.3f} CPU)"


def once(work: Callable[[], Any]) -> tuple[Time, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return Time(time.perf_counter() - wall, time.process_time() - cpu), result


def best(work: Callable[[], Any], repeat: int = 3) -> tuple[Time, Any]:
    times = []
    for _ in range(repeat):
        taken, result = once(work)
        times.append(taken)
    return Time(min(t.wall for t in times), min(t.cpu for t in times)), result


def report(what: str, ours: Time, yardstick: Time, reach: str) -> None:
    wall, cpu = ours.wall / yardstick.wall, ours.cpu / yardstick.cpu
    print(f"{what:<58} {ours}  yardstick {yardstick}  ratio {wall:6.2f} wall {cpu:6.2f} CPU  reach {reach}", flush=True)
