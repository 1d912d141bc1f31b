"""Answers to measure with, quick to draw and of stated sizes."""

from typing import NamedTuple

import numpy as np

from thetaline import irt


class Long(NamedTuple):
    user: np.ndarray
    item: np.ndarray
    correct: np.ndarray

    def responses(self) -> irt.Responses:
        return irt.Responses.from_long(self.user, self.item, self.correct)


def parameters(rng: np.random.Generator, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.lognormal(0.0, 0.3, n_items), rng.normal(size=n_items)


def complete(n_persons: int, n_items: int, seed: int = 1) -> np.ndarray:
    """Right and wrong, (N, I) bytes."""
    rng = np.random.default_rng(seed)
    a, b = parameters(rng, n_items)
    theta = rng.normal(size=n_persons)
    out = np.empty((n_persons, n_items), dtype=np.uint8)
    for rows in np.array_split(np.arange(n_persons), max(1, n_persons * n_items // 10_000_000)):
        out[rows] = rng.random((len(rows), n_items)) < 1 / (1 + np.exp(-a * (theta[rows, None] - b)))
    return out


def sparse(n_persons: int, n_items: int, n_answers: int, seed: int = 1) -> Long:
    """`n_answers` items a person, one from each of as many equal drawers; int32 ids, as a bulk read gives them."""
    rng = np.random.default_rng(seed)
    a, b = parameters(rng, n_items)
    theta = rng.normal(size=n_persons).astype(np.float32)
    drawer = n_items // n_answers
    order = rng.permutation(n_items).astype(np.int32)
    item = order[rng.integers(0, drawer, (n_persons, n_answers)) + drawer * np.arange(n_answers)].ravel()
    user = np.repeat(np.arange(n_persons, dtype=np.int32), n_answers)
    correct = np.empty(len(user), dtype=np.uint8)
    for at in np.array_split(np.arange(len(user)), max(1, len(user) // 2_000_000)):
        p = 1 / (1 + np.exp(-a[item[at]] * (theta[user[at]] - b[item[at]])))
        correct[at] = rng.random(len(at)) < p
    return Long(user, item, correct)


def polytomous(n_persons: int, n_items: int, n_categories: int, seed: int = 1) -> np.ndarray:
    """Graded answers, (N, I) bytes."""
    rng = np.random.default_rng(seed)
    a, b = parameters(rng, n_items)
    steps = np.sort(rng.normal(size=(n_items, n_categories - 1)), axis=1) + b[:, None] * 0.5
    eta = a[None, :, None] * (rng.normal(size=n_persons)[:, None, None] - steps)
    return (rng.random((n_persons, n_items, 1)) < 1 / (1 + np.exp(-eta))).sum(axis=2).astype(np.uint8)
