"""A school whose cohorts and items come and go, while learners grow and some items leak."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

LOOKBACK, MONTH = 30, 30
GROWTH = 1.0 / 365  # of every learner, a day
ROUTING = 1.2  # standard deviation of b about the level of a learner
LEAK, LEAK_DAYS = 0.9, 120


class Plan(NamedTuple):
    """The size of a school."""

    n_learners: int = 400
    n_items: int = 150
    answers_a_day: int = 900
    n_cohorts: int = 4  # one of them leaves each month
    replaced_a_month: int = 12
    leaking: float = 0.05  # share of all items
    nights: int = 120
    every: int = 1  # nights from one calibration to the next: anchors change once a week, so 7 has the same ends


@dataclass
class School:
    """Items 0 … I − 1 of the whole time, of which some are open on a day; learners 0 … N − 1 likewise."""

    a: np.ndarray
    b: np.ndarray
    item_days: np.ndarray  # (I, 2) first day, day after the last
    leaks_from: np.ndarray  # (I,) infinite for sound items
    theta: np.ndarray  # (N,) on the first day of each learner
    person_days: np.ndarray  # (N, 2)
    answers_a_day: int
    last: np.ndarray  # (N, I) day of the last answer

    def level(self, person: np.ndarray, day: np.ndarray) -> np.ndarray:
        return np.asarray(self.theta[person] + GROWTH * (day - self.person_days[person, 0]))

    def answers(self, rng: np.random.Generator, day: int) -> np.ndarray:
        """(4, M) learner, item, right, day."""
        people, items = (np.flatnonzero((d[:, 0] <= day) & (day < d[:, 1])) for d in (self.person_days, self.item_days))
        person, item = rng.choice(people, 8 * self.answers_a_day), rng.choice(items, 8 * self.answers_a_day)
        level = self.level(person, np.full(person.size, day))
        near = rng.random(person.size) < np.exp(-0.5 * ((level - self.b[item]) / ROUTING) ** 2)
        _, once = np.unique(person * self.b.size + item, return_index=True)
        able = near & (day - self.last[person, item] >= LOOKBACK)
        kept = np.sort(once[able[once]])[: self.answers_a_day]
        person, item = person[kept], item[kept]
        self.last[person, item] = day
        leaked = LEAK * np.clip((day - self.leaks_from[item]) / LEAK_DAYS, 0.0, 1.0)
        gap = level[kept] - self.b[item] + leaked
        right = rng.random(kept.size) < 1 / (1 + np.exp(-self.a[item] * gap))
        return np.stack([person, item, right, np.full(kept.size, day)])


def drawn(rng: np.random.Generator, plan: Plan) -> School:
    months = plan.nights // MONTH
    size = plan.n_learners // plan.n_cohorts
    n_items = plan.n_items + months * plan.replaced_a_month
    new = np.arange(n_items) - plan.n_items  # below 0 for those of the first day
    opens = np.where(new < 0, -LOOKBACK, (new // plan.replaced_a_month) * MONTH)
    closes = np.full(n_items, plan.nights)
    for month in range(months):
        open_ = np.flatnonzero((opens < month * MONTH) & (closes == plan.nights))
        closes[rng.permutation(open_)[: plan.replaced_a_month]] = month * MONTH
    cohort = np.arange(plan.n_cohorts + months)
    means, spreads = rng.normal(0.0, 0.4, cohort.size), rng.choice([0.8, 1.0, 1.2], cohort.size)
    first = np.where(cohort < plan.n_cohorts, -LOOKBACK, (cohort - plan.n_cohorts) * MONTH)
    last = np.where(cohort < months, cohort * MONTH, plan.nights)
    leaks = rng.random(n_items) < plan.leaking
    return School(
        a=rng.lognormal(0.1, 0.3, n_items),
        b=rng.normal(0.1 * np.maximum(opens, 0) / MONTH, 1.1, n_items),
        item_days=np.column_stack([opens, closes]),
        leaks_from=np.where(leaks, rng.uniform(0, plan.nights, n_items), np.inf),
        theta=np.concatenate([rng.normal(*of, size) for of in zip(means, spreads, strict=True)]),
        person_days=np.repeat(np.column_stack([first, last]), size, axis=0),
        answers_a_day=plan.answers_a_day,
        last=np.full((cohort.size * size, n_items), -3 * LOOKBACK),
    )
