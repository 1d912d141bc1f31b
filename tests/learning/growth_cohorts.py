"""Cohorts that grow by a known law, and their answers to a 2PL bank."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thetaline import irt
from thetaline.learning.growth import GrowthAnswers

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Law:
    """Of growth a week, `now` being the last week; spreads as in the model."""

    level: float = 0.1
    slope: float = 0.03
    level_sd: float = 0.9
    slope_sd: float = 0.05
    correlation: float = 0.2
    topic_sd: float = 0.4
    walk_sd: float = 0.05


@dataclass(frozen=True)
class Cohort:
    answers: GrowthAnswers
    theta: Floats  # (N, W) of the weeks, without the topics' deviations
    level: Floats  # (N,)
    slope: Floats  # (N,)


def bank(n_items: int, rng: np.random.Generator) -> irt.Items:
    return irt.Items(ids=range(n_items), a=rng.lognormal(0, 0.3, n_items), b=rng.normal(0, 1, n_items))


def cohort(
    n_learners: int,
    n_weeks: int,
    n_answers: int,
    *,
    law: Law = Law(),
    n_topics: int = 6,
    n_items: int = 300,
    seed: int = 0,
) -> Cohort:
    """Learners who grow by `law`; see `answered`."""
    rng = np.random.default_rng(seed)
    items, lines = bank(n_items, rng), drawn_lines(n_learners, law, rng)
    theta = along(lines, n_weeks) + walks(n_learners, n_weeks, law.walk_sd, rng)
    return answered(theta, lines, n_answers, rng, topic_sd=law.topic_sd, n_topics=n_topics, items=items)


def drawn_lines(n_learners: int, law: Law, rng: np.random.Generator) -> Floats:
    """(N, 2) level now and slope."""
    cross = law.correlation * law.level_sd * law.slope_sd
    covariance = [[law.level_sd**2, cross], [cross, law.slope_sd**2]]
    return rng.multivariate_normal([law.level, law.slope], covariance, n_learners)


def along(lines: Floats, n_weeks: int) -> Floats:
    """(N, W) θ of the weeks up to now."""
    return lines[:, :1] + lines[:, 1:] * (np.arange(n_weeks) - (n_weeks - 1.0))


def walks(n_learners: int, n_weeks: int, sd: float, rng: np.random.Generator) -> Floats:
    """(N, W) random walks that are 0 now."""
    walk = np.cumsum(rng.normal(0, sd, (n_learners, n_weeks)), axis=1)
    return walk - walk[:, -1:]


def answered(
    theta: Floats,
    lines: Floats,
    n_answers: int,
    rng: np.random.Generator,
    *,
    topic_sd: float = 0.4,
    n_topics: int = 6,
    items: irt.Items | None = None,
    taught_in_order: bool = False,
) -> Cohort:
    """`n_answers` a learner and week to items drawn at random, on any topic or on one half of them in each half."""
    (n_learners, n_weeks), items = theta.shape, items or bank(300, rng)
    topics = rng.normal(0, topic_sd, (n_learners, n_topics))
    learner = np.repeat(np.arange(n_learners), n_weeks * n_answers)
    week = np.tile(np.repeat(np.arange(n_weeks), n_answers), n_learners)
    topic = rng.integers(0, n_topics, learner.size)
    if taught_in_order:
        topic = topic // 2 + (n_topics // 2) * (week >= n_weeks // 2)
    item = rng.integers(0, len(items), learner.size)
    z = items.a[item] * (theta[learner, week] + topics[learner, topic] - items.b[item])
    right = rng.random(learner.size) < 1 / (1 + np.exp(-z))
    codes = (column.astype(np.int32) for column in (learner, item, week, topic))
    return Cohort(answers(*codes, right, items, n_learners), theta, lines[:, 0], lines[:, 1])


def answers(
    learner: NDArray[np.int32],
    item: NDArray[np.int32],
    week: NDArray[np.int32],
    topic: NDArray[np.int32],
    right: NDArray[np.bool_],
    items: irt.Items,
    n_learners: int,
) -> GrowthAnswers:
    return GrowthAnswers(
        learner=learner,
        item=item,
        category=right.astype(np.uint8),
        week=week,
        topic=topic,
        n_learners=n_learners,
        bank=items,
    )
