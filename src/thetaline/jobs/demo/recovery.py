"""How near the estimates came to the simulated truth, on the scale of the first published calibration."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thetaline.jobs.demo.school import Answers, Floats, Truth


@dataclass(frozen=True, slots=True)
class Nearness:
    """Correlation with the truth and root mean square error, over `n` values."""

    n: int
    correlation: float
    rmse: float


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and standard deviation of the true abilities that a window's answers came from."""

    mean: float
    sd: float

    def link_to(self, first: "Scale") -> tuple[float, float]:
        """The (A, B) that carry N(0, 1) of this window to N(0, 1) of the first one."""
        return self.sd / first.sd, (self.mean - first.mean) / first.sd


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What the answers of some weeks say about the truth."""

    truth: Truth
    answers: Answers
    start: float  # weeks since the first day
    stop: float

    def abilities(self) -> dict[str, float]:
        """By user id, the mean of the true ability over the learner's answered questions of the window."""
        week = self.answers.week
        within = (week >= self.start) & (week < self.stop) & (self.answers.correct >= 0)
        learner = self.answers.learner[within]
        total = np.bincount(learner, self.truth.theta(learner, week[within]), len(self.truth.theta0))
        count = np.bincount(learner, minlength=len(self.truth.theta0))
        there = np.flatnonzero(count)
        ids = self.truth.user_ids[there].tolist()
        return dict(zip(ids, (total[there] / count[there]).tolist(), strict=True))

    def scale(self) -> Scale:
        """Of the learners who are there."""
        theta = np.array(list(self.abilities().values()))
        return Scale(float(theta.mean()), float(theta.std()))

    def items(self, on: Scale) -> dict[str, tuple[float, float]]:
        """By item code, the true (a, b) at the end of the window on the scale where `on` is N(0, 1)."""
        n_items = len(self.truth.a)
        b = self.truth.difficulty(np.arange(n_items), np.full(n_items, self.stop - 1e-9))
        pairs = zip((self.truth.a * on.sd).tolist(), ((b - on.mean) / on.sd).tolist(), strict=True)
        return dict(zip(self.truth.item_codes.tolist(), pairs, strict=True))


def nearness(estimated: Mapping[str, float], true: Mapping[str, float]) -> Nearness:
    """Over the ids that both know; `true` may know more."""
    ids = sorted(set(estimated) & set(true))
    x: Floats = np.array([estimated[one] for one in ids])
    y: Floats = np.array([true[one] for one in ids])
    return Nearness(
        n=len(ids),
        correlation=float(np.corrcoef(x, y)[0, 1]),
        rmse=float(np.sqrt(np.mean(np.square(x - y)))),
    )
