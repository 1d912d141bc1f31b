"""The items of the week on the learner's scale, and the answers that were given too fast to be meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from thetaline.jobs.abilities.answers import LearnerAnswers
from thetaline.jobs.abilities.item_bank import ItemBank
from thetaline.jobs.abilities.scoring import theta_without_prior
from thetaline.jobs.arrays import Array, Index
from thetaline.jobs.reports.answers import ChunkAnswers, by_learner
from thetaline.jobs.reports.items import ItemFacts
from thetaline.jobs.reports.learners import Ability
from thetaline.reports.effort import effort_matters
from thetaline.reports.suggestions import Bank
from thetaline.reports.value import Absent, Effort, Estimate, ItemMap, PractisedItem

EASIER, HARDER = 0.75, 0.45  # expected success, beyond which an item is easy or hard for the learner


@dataclass(frozen=True, slots=True, eq=False)
class WeekPractice:
    """First answers of the week to published items (M,), by learner; `item` are places in the bank."""

    first: LearnerAnswers
    item: Index
    of: Mapping[int, slice]

    @classmethod
    def from_answers(cls, answers: ChunkAnswers, items: ItemBank) -> Self:
        """What weekly θ is estimated from."""
        first = answers.of(answers.week).first_known()
        first = first.where(items.position(first.attempts.item) >= 0)
        return cls(first, items.position(first.attempts.item).astype(np.intp), by_learner(first))


def item_maps(week: WeekPractice, facts: ItemFacts, abilities: Mapping[int, Ability]) -> dict[int, ItemMap]:
    """By learner_no, of those with a θ; items from easy to hard."""
    learners = [abilities.get(number) for number in week.first.learner_no.tolist()]
    theta, se = np.array([(one.theta.value, one.theta.se) if one else (0.0, 1.0) for one in learners]).reshape(-1, 2).T
    who = week.first.attempts.learner
    expected = facts.success.of_each(theta[who], se[who], week.item)
    return {
        number: _item_map(abilities[number].theta, expected[rows], week, rows, facts.bank)
        for number, rows in week.of.items()
        if number in abilities
    }


def _item_map(theta: Estimate, expected: Array, week: WeekPractice, rows: slice, bank: Bank) -> ItemMap:
    item, right = week.item[rows], week.first.attempts.correct[rows] == 1
    difficulty = bank.difficulty[item]
    practised = tuple(
        PractisedItem(
            bank.codes[item[row]],
            bank.topic_id(item[row]),
            float(difficulty[row]),
            float(expected[row]),
            bool(right[row]),
        )
        for row in np.lexsort((item, difficulty)).tolist()
    )
    easier, harder = int((expected > EASIER).sum()), int((expected < HARDER).sum())
    return ItemMap(theta, practised, easier, len(practised) - easier - harder, harder)


def efforts(week: WeekPractice, items: ItemBank, facts: ItemFacts) -> dict[int, Effort | Absent]:
    """By learner_no; θ is Warm's estimate of the week's answers, as weekly θ is."""
    threshold, time_ms = facts.rapid_ms[week.item], week.first.attempts.time_ms
    timed = (time_ms >= 0) & np.isfinite(threshold)
    rapid = timed & (time_ms < np.nan_to_num(threshold))
    learner = week.first.attempts.learner
    n_timed, n_rapid = (np.bincount(learner[mask], minlength=week.first.learner_no.size) for mask in (timed, rapid))
    some = n_rapid[learner] > 0
    whole, meant = (_thetas(week.first.where(mask), items) for mask in (some, some & ~rapid))
    counts = {number: (int(n_timed[p]), int(n_rapid[p])) for p, number in enumerate(week.first.learner_no.tolist())}
    return {
        number: _effort(*counts[number], whole.get(number), meant.get(number)) if counts[number][0] else Absent.NO_TIMES
        for number in week.of
    }


def _effort(n_timed: int, n_rapid: int, whole: Estimate | None, meant: Estimate | None) -> Effort:
    return Effort(n_timed, n_rapid, whole, meant, differs=effort_matters(whole, meant))


def _thetas(answers: LearnerAnswers, items: ItemBank) -> dict[int, Estimate]:
    found = theta_without_prior(answers, items)
    numbers = answers.learner_no[found.learner].tolist()
    rows = zip(numbers, found.theta.tolist(), found.se.tolist(), strict=True)
    return {number: Estimate(theta, se) for number, theta, se in rows}
