"""Scores of 200,000 persons with 50 answers each to 2,000 items, against one sparse product in the same run.

python benchmarks/scoring.py [persons] prints seconds, CPU seconds and their ratio to the yardstick: CSR (persons ×
4,000) @ (4,000 × 61) in float32 by SciPy, on one thread. EAP is to stay within 6 times it. The last lines score one
person at a time, as the service does after a session.
"""

import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import sparse

from thetaline import irt

N_ITEMS, N_ANSWERS, N_NODES = 2_000, 50, 61
REPEATS = 3


class Seconds(NamedTuple):
    wall: float
    cpu: float


def best(work: Callable[[], object], repeats: int = REPEATS) -> Seconds:
    """The least of a few runs: what the work takes when nobody disturbs it."""
    runs = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        runs.append((time.perf_counter() - wall, time.process_time() - cpu))
    return Seconds(*np.min(runs, axis=0))


def yardstick(responses: irt.Responses) -> Callable[[], object]:
    shape = (responses.n_persons, 2 * N_ITEMS)
    columns = (2 * responses.item + responses.answer).astype(np.int32)
    ones = np.ones(len(columns), dtype=np.float32)
    one_hot = sparse.csr_array((ones, columns, responses.indptr.astype(np.int32)), shape=shape)
    table = np.random.default_rng(0).normal(size=(2 * N_ITEMS, N_NODES)).astype(np.float32)
    return lambda: one_hot @ table


def main(n_persons: int) -> None:
    rng = np.random.default_rng(1)
    items = irt.Items(ids=range(N_ITEMS), a=rng.lognormal(0.0, 0.3, N_ITEMS), b=rng.normal(0.0, 1.0, N_ITEMS))
    responses = irt.simulate(items, rng.normal(size=n_persons), rng, n_answers=N_ANSWERS)
    unit = best(yardstick(responses))
    print(f"{'yardstick: one product':<28}{unit.wall:8.3f} s{unit.cpu:8.3f} s CPU")
    for method in ("EAP", "MAP", "MLE", "WLE"):
        took = best(lambda method=method: irt.score(responses, items, method=method), 1 if method != "EAP" else REPEATS)
        times = f"{took.wall / unit.wall:6.1f} × wall{took.cpu / unit.cpu:8.1f} × CPU"
        print(f"{method:<28}{took.wall:8.3f} s{took.cpu:8.3f} s CPU{times}")
    one = irt.simulate(items, [0.3], rng, n_answers=20)
    for method in ("EAP", "MAP"):
        took = best(lambda method=method: [irt.score(one, items, method=method) for _ in range(200)])
        print(f"{method + ', one person, 20 answers':<28}{took.wall / 200 * 1e3:8.3f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
