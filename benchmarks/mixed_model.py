"""`score ~ week + (week|student) + (1|topic)` at 24,000 and 480,000 rows, of scores and of right or wrong.

python -m benchmarks.mixed_model [rows] prints seconds and CPU seconds, BLUPs with their errors included. Asked for:
24,000 rows within 3 s, 480,000 within 60 s.
"""

import sys
import time
from typing import Any

import numpy as np

from thetaline.learning.mixed_model import CONTRACT_FORMULA, fit_mixed

N_WEEKS, N_TOPICS = 12, 20


def school(n_rows: int) -> dict[str, Any]:
    """Twelve weeks of learners whose levels and slopes differ, on topics drawn at random."""
    rng = np.random.default_rng(2024)
    n = n_rows // N_WEEKS
    student, week = np.repeat(np.arange(n), N_WEEKS), np.tile(np.arange(N_WEEKS, dtype=float), n)
    topic = rng.integers(0, N_TOPICS, n * N_WEEKS)
    line = rng.multivariate_normal([0.0, 0.12], [[0.64, 0.0144], [0.0144, 0.0036]], n)
    mean = line[student, 0] + line[student, 1] * week + rng.normal(0, 0.3, N_TOPICS)[topic]
    right = rng.random(mean.size) < 1 / (1 + np.exp(-mean))
    score = mean + rng.normal(0, 0.5, mean.size)
    return {"student": student, "week": week, "topic": topic, "score": score, "right": right.astype(float)}


def main(sizes: list[int]) -> None:
    for n_rows in sizes:
        data = school(n_rows)
        error = np.full(data["score"].size, 0.16)
        for label, options in (("score", {}), ("known error", {"error_variance": error}), ("right", {})):
            family = "binomial" if label == "right" else "gaussian"
            columns = data | {"score": data["right"]} if label == "right" else data
            wall, cpu = time.perf_counter(), time.process_time()
            fit = fit_mixed(CONTRACT_FORMULA, columns, family=family, **options)
            took = f"{time.perf_counter() - wall:8.2f} s{time.process_time() - cpu:8.2f} s CPU"
            print(f"{n_rows:>9,} rows  {label:<12}{took}   slope {fit.coefficients[1].estimate:.4f}  {fit.formula}")


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [24_000, 480_000])
