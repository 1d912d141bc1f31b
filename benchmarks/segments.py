"""Segments against known truth: one normal cohort has no structure, separated profiles are found, names stay.

python -m benchmarks.segments [replications]: of 300 learners, the share of cohorts from one normal distribution that
are "no structure" (reach 95 %), the adjusted Rand index of four separated profiles (reach 0.8) with the share of right
k, and the share of unchanged learners whose label differs a week later (reach 10 % at most).
"""

import sys
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks.yardstick import once
from thetaline.learning.segments import Feature, FeatureTable, LastSegments, Segmentation, segment_learners

N_LEARNERS = 300
MISSING = 0.05
WEEK_SHARE = 0.3  # of the sd within a profile, what a week does to an unchanged learner's features of twelve weeks
NAMES = tuple(Feature)
# Four profiles in standard deviations of one: short_frequent, long_rare and hint_heavy, struggling, quick and right.
PROFILES = np.array(
    [
        [3.0, -3.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [-3.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 3.0, -2.0, 1.0, -1.5, -2.0],
        [0.0, 0.0, -1.0, 3.0, -3.0, 2.0, 1.0],
    ]
)


class Cohort(NamedTuple):
    """Standard scores (N, F) and the profile of each learner."""

    scores: np.ndarray
    profile: np.ndarray


def one_normal(rng: np.random.Generator, n: int = N_LEARNERS) -> Cohort:
    """Correlated features of one kind of learner."""
    axes = rng.normal(size=(len(NAMES), 2 * len(NAMES)))
    return Cohort(rng.multivariate_normal(np.zeros(len(NAMES)), np.corrcoef(axes), n), np.zeros(n, int))


def separated(rng: np.random.Generator, n: int = N_LEARNERS) -> Cohort:
    """The four profiles, in unequal numbers."""
    profile = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    return Cohort(PROFILES[profile] + rng.normal(size=(n, len(NAMES))), profile)


def table(scores: np.ndarray, rng: np.random.Generator) -> FeatureTable:
    """In raw units: counts and times are skewed, shares lie in (0, 1); some values are unknown."""
    z = np.array(scores, float)
    raw = z.copy()
    for column in (0, 1, 4):
        raw[:, column] = np.exp(1.0 + 0.35 * z[:, column])
    for column in (2, 3):
        raw[:, column] = 1 / (1 + np.exp(-0.5 * z[:, column]))
    raw[rng.random(raw.shape) < MISSING] = np.nan
    return FeatureTable(np.array([f"u{number}" for number in range(len(raw))]), NAMES, raw)


def as_last(week: FeatureTable, found: Segmentation) -> LastSegments:
    inside = found.assigned >= 0
    centres = np.stack([segment.centre for segment in found.segments])
    labels = tuple(segment.label for segment in found.segments)
    return LastSegments(week.user_ids[inside], found.assigned[inside], labels, found.names, centres)


def label_of_each(found: Segmentation) -> np.ndarray:
    return np.array([segment.label for segment in found.segments] + ["none"])[found.assigned]


def label_churn(rng: np.random.Generator, weeks: int = 2, n: int = N_LEARNERS) -> float:
    """Of unchanged learners, the share whose label differs from the week before, mean over the weeks."""
    scores = separated(rng, n).scores
    noise = rng.normal(size=(weeks, *scores.shape)) * WEEK_SHARE
    tables = [table(scores + noise[week], rng) for week in range(weeks)]
    found = [segment_learners(tables[0], rng)]
    for week in range(1, weeks):
        found.append(segment_learners(tables[week], rng, last=as_last(tables[week - 1], found[-1])))
    labels = [label_of_each(one) for one in found]
    return float(np.mean([(one != next_one).mean() for one, next_one in pairwise(labels)]))


def number_found(rng: np.random.Generator, n: int = N_LEARNERS) -> int:
    return len(segment_learners(table(one_normal(rng, n).scores, rng), rng).segments)


def recovery(rng: np.random.Generator, n: int = N_LEARNERS) -> tuple[float, int]:
    """Adjusted Rand index over all learners, and the number of segments."""
    cohort = separated(rng, n)
    found = segment_learners(table(cohort.scores, rng), rng)
    return float(adjusted_rand_score(cohort.profile, found.assigned)), len(found.segments)


def main(replications: int = 100) -> None:
    rng = np.random.default_rng(12)
    taken, single = once(lambda: np.mean([number_found(rng) == 1 for _ in range(replications)]))
    print(f"one normal distribution: no structure in {single:.1%} of {replications}  reach 95 %  {taken}", flush=True)
    few = max(1, replications // 5)
    rand, k = np.array([recovery(rng) for _ in range(few)]).T
    print(f"four profiles: ARI {rand.mean():.3f}, least {rand.min():.3f}, k = 4 in {(k == 4).mean():.0%}  reach 0.8")
    churn = [label_churn(rng) for _ in range(few)]
    print(f"label churn a week: {np.mean(churn):.1%}, most {max(churn):.1%}  reach 10 %")
    taken, _ = once(lambda: recovery(rng, 10_000))
    print(f"10,000 learners: {taken}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
