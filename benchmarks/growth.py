"""Time of one EM cycle as the answers grow tenfold: engine yardstick 6, slope 0.9 to 1.1.

python -m benchmarks.growth [most]: 1 M, 10 M (and 100 M when asked for) answers of 50 a person to 2,000 items.
"""

import sys

import numpy as np

from benchmarks.simulated import sparse
from benchmarks.yardstick import best
from thetaline import irt

SIZES = (1_000_000, 10_000_000, 100_000_000)


def seconds_a_cycle(n_answers: int) -> float:
    """From fits of two lengths, so that what happens once cancels; fixed nodes, so that their number is the same."""
    responses = sparse(n_answers // 50, 2_000, 50).responses()

    def cycles(n: int) -> float:
        run = lambda: irt.calibrate(responses, max_cycles=n, tol=1e-12, grid=irt.Grid(48, -5.5, 5.5))  # noqa: E731
        return best(run, 3)[0].cpu

    return (cycles(5) - cycles(1)) / 4


def main(most: int = 10_000_000) -> None:
    sizes = [size for size in SIZES if size <= most]
    seconds = [seconds_a_cycle(size) for size in sizes]
    for size, taken in zip(sizes, seconds, strict=True):
        print(f"{size:>12,} answers: {taken:.4f} CPU s a cycle, {taken / size * 1e9:.1f} ns an answer")
    slopes = np.diff(np.log(seconds)) / np.diff(np.log(sizes))
    print(f"slope {', '.join(f'{slope:.3f}' for slope in slopes)}  reach 0.9 to 1.1")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
