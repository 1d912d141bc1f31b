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
    """`n_answers` a learner and week, to items and on topics drawn at random."""
    rng = np.random.default_rng(seed)
    items = bank(n_items, rng)
    weeks = np.arange(n_weeks) - (n_weeks - 1.0)
    cross = law.correlation * law.level_sd * law.slope_sd
    u = rng.multivariate_normal(
        [law.level, law.slope], [[law.level_sd**2, cross], [cross, law.slope_sd**2]], n_learners
    )
    walk = np.cumsum(rng.normal(0, law.walk_sd, (n_learners, n_weeks)), axis=1)
    theta = u[:, :1] + u[:, 1:] * weeks + walk - walk[:, -1:]
    topics = rng.normal(0, law.topic_sd, (n_learners, n_topics))
    learner = np.repeat(np.arange(n_learners), n_weeks * n_answers)
    week = np.tile(np.repeat(np.arange(n_weeks), n_answers), n_learners)
    topic = rng.integers(0, n_topics, learner.size)
    item = rng.integers(0, n_items, learner.size)
    z = items.a[item] * (theta[learner, week] + topics[learner, topic] - items.b[item])
    right = rng.random(learner.size) < 1 / (1 + np.exp(-z))
    codes = (column.astype(np.int32) for column in (learner, item, week, topic))
    return Cohort(answers(*codes, right, items, n_learners), theta, u[:, 0], u[:, 1])


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
