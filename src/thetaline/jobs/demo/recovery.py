"""Parameter recovery: estimates compared with the simulated truth, on the scale of the first calibration."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thetaline.jobs.arrays import Array
from thetaline.jobs.demo.school import SimulatedAnswers, Truth


@dataclass(frozen=True, slots=True)
class RecoveryStatistics:
    """Correlation with the truth and root mean square error over `n` values."""

    n: int
    correlation: float
    rmse: float


@dataclass(frozen=True, slots=True)
class AbilityMoments:
    """Mean and standard deviation of the true abilities of the learners of a window."""

    mean: float
    sd: float

    def link_to(self, first: "AbilityMoments") -> tuple[float, float]:
        """The (A, B) from the scale where these are (0, 1) to the one where `first` are."""
        return self.sd / first.sd, (self.mean - first.mean) / first.sd


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedWindow:
    """The truth behind the answers of some weeks."""

    truth: Truth
    answers: SimulatedAnswers
    start: float  # weeks since the first day
    stop: float

    def abilities(self) -> dict[str, float]:
        """By user id, the mean of the true ability over the learner's answered questions of the window."""
        week = self.answers.week
        within = (week >= self.start) & (week < self.stop) & (self.answers.correct >= 0)
        learner = self.answers.learner[within]
        total = np.bincount(learner, self.truth.theta(learner, week[within]), len(self.truth.theta0))
        count = np.bincount(learner, minlength=len(self.truth.theta0))
        present = np.flatnonzero(count)
        ids = self.truth.user_ids[present].tolist()
        return dict(zip(ids, (total[present] / count[present]).tolist(), strict=True))

    def moments(self) -> AbilityMoments:
        """Of the learners with answers in the window."""
        theta = np.array(list(self.abilities().values()))
        return AbilityMoments(float(theta.mean()), float(theta.std()))

    def items(self, on: AbilityMoments) -> dict[str, tuple[float, float]]:
        """By item code, the true (a, b) at the end of the window on the scale where `on` is N(0, 1)."""
        n_items = len(self.truth.a)
        b = self.truth.difficulty(np.arange(n_items), np.full(n_items, self.stop - 1e-9))
        pairs = zip((self.truth.a * on.sd).tolist(), ((b - on.mean) / on.sd).tolist(), strict=True)
        return dict(zip(self.truth.item_codes.tolist(), pairs, strict=True))


def recovery_statistics(estimated: Mapping[str, float], true: Mapping[str, float]) -> RecoveryStatistics:
    """Over the ids that both have."""
    ids = sorted(set(estimated) & set(true))
    x: Array = np.array([estimated[one] for one in ids])
    y: Array = np.array([true[one] for one in ids])
    return RecoveryStatistics(
        n=len(ids),
        correlation=float(np.corrcoef(x, y)[0, 1]),
        rmse=float(np.sqrt(np.mean(np.square(x - y)))),
    )
