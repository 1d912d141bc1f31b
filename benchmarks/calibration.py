"""Calibration of complete and of sparse data against one product of their matrices: engine yardsticks 1 and 2.

python -m benchmarks.calibration: 100,000 × 100 complete, and 200,000 persons × 2,000 items × 50 answers, 2PL to 1e-4.
"""

import numpy as np
from scipy import sparse as sp

from benchmarks.simulated import complete, sparse
from benchmarks.yardstick import best, report
from thetaline import irt

NODES = 61


def describe(fit: irt.Fit) -> str:
    full = sum(cycle.share == 1 for cycle in fit.path)
    cycles = f"{full} cycles on all answers, {fit.cycles - full} on a part"
    return f"    {fit.status}, {cycles}, {fit.population.nodes.shape[1]} nodes"


def dense_case(n_persons: int = 100_000, n_items: int = 100) -> None:
    x = complete(n_persons, n_items)
    single, table = x.astype(np.float32), np.random.default_rng(0).normal(size=(n_items, NODES)).astype(np.float32)
    yardstick, _ = best(lambda: single @ table, 7)
    making, responses = best(lambda: irt.Responses.from_matrix(x), 1)
    ours, fit = best(lambda: irt.calibrate(responses))
    report(f"complete {n_persons:,} × {n_items}, against X @ T", ours, yardstick, "≤ 40")
    print(describe(fit), f"; responses {making}")


def sparse_case(n_persons: int = 200_000, n_items: int = 2_000, n_answers: int = 50) -> None:
    long = sparse(n_persons, n_items, n_answers)
    code = 2 * long.item + long.correct
    pointers = np.arange(0, len(code) + 1, n_answers)
    matrix = sp.csr_array((np.ones(len(code), np.float32), code, pointers), shape=(n_persons, 2 * n_items))
    table = np.random.default_rng(0).normal(size=(2 * n_items, NODES)).astype(np.float32)
    yardstick, _ = best(lambda: matrix @ table, 5)
    making, responses = best(long.responses, 1)
    ours, fit = best(lambda: irt.calibrate(responses), 2)
    report(f"sparse {n_persons:,} × {n_items:,} × {n_answers}, against a CSR product", ours, yardstick, "≤ 40")
    print(describe(fit), f"; responses {making}")


if __name__ == "__main__":
    dense_case()
    sparse_case()
