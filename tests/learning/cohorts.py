"""Small cohorts to test KPIs on: rows in, `Attempts` out; and simulated windows of answers."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetaline.learning.attempts import Attempts

TODAY = date(2025, 11, 2)


def attempts(rows: Sequence[dict[str, Any]], n_learners: int) -> Attempts:
    """Attempts from dicts; what a row does not say is unknown, its session is its day."""
    rows = sorted(rows, key=lambda row: (row["learner"], row["day"]))

    def column(name: str, dtype: type, default: int = -1) -> NDArray[Any]:
        return np.array([row.get(name, default) for row in rows], dtype)

    return Attempts(
        learner=column("learner", np.int32),
        item=column("item", np.int32, 0),
        correct=column("correct", np.int8),
        day=column("day", np.int32),
        time_ms=column("time_ms", np.int32),
        hint=column("hint", np.int8),
        session=np.array([row.get("session", row["day"]) for row in rows], np.int32),
        n_learners=n_learners,
    )


def wle(theta: NDArray[np.float64], n_items: int, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Answers of learners at `theta` to `n_items` 2PL items each, scored by Warm's WLE on a fine grid: (θ, se).

    `theta` (N,), or (N, n_items) where it differs from item to item.
    """
    at = theta if theta.ndim == 2 else np.repeat(theta[:, None], n_items, axis=1)
    theta = at[:, 0]
    nodes = np.linspace(-8, 8, 321)
    log_weight, information = np.zeros((2, theta.size, nodes.size))
    for item in range(n_items):
        a, b = rng.lognormal(0.1, 0.3, (theta.size, 1)), rng.normal(0, 1, (theta.size, 1))
        right = rng.random((theta.size, 1)) < 1 / (1 + np.exp(-a * (at[:, item, None] - b)))
        z = a * (nodes - b)
        log_weight -= np.logaddexp(0, np.where(right, -z, z))
        information += a**2 / (2 + 2 * np.cosh(z))
    best = (log_weight + np.log(information) / 2).argmax(axis=1)
    return nodes[best], 1 / np.sqrt(information[np.arange(theta.size), best])
