"""The answers of the last weeks as the growth model reads them: the first of each learner to each item in each week."""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetaline.jobs.abilities.answers import read_all_answers
from thetaline.jobs.abilities.item_bank import ItemBank
from thetaline.jobs.arrays import Int32s
from thetaline.jobs.runner import JobContext
from thetaline.learning.growth import NO_TOPIC, GrowthAnswers
from thetaline.learning.windows import week_number, week_window

WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True, eq=False)
class CohortAnswers:
    """Answers whose learners are positions in `learner_no` (N,)."""

    learner_no: Int32s
    answers: GrowthAnswers

    def fingerprint(self, *more: object) -> str:
        """Differs where an answer, or one of `more`, does."""
        digest = hashlib.sha256(repr(more).encode())
        rows = self.answers
        for column in (self.learner_no, rows.learner, rows.item, rows.category, rows.week, rows.topic):
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()


def read_growth_answers(context: JobContext, bank: ItemBank, *, last_week: date, weeks: int) -> CohortAnswers:
    """Read week by week, so that memory holds the raw answers of one; unanswered and unpublished items are left out."""
    mondays = [last_week - number * WEEK for number in reversed(range(weeks))]
    parts = [_week(context, bank, monday) for monday in mondays]
    learner, item, category, week, topic = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    learner_no, code = np.unique(learner, return_inverse=True)
    answers = GrowthAnswers(
        learner=code.astype(np.int32),
        item=item.astype(np.int32),
        category=category.astype(np.uint8),
        week=week.astype(np.int32),
        topic=topic.astype(np.int32),
        n_learners=learner_no.size,
        bank=bank.items,
    )
    return CohortAnswers(learner_no.astype(np.int32), answers)


def _week(context: JobContext, bank: ItemBank, monday: date) -> tuple[NDArray[np.integer[Any]], ...]:
    first = read_all_answers(context.url, week_window(monday), context.calendar).first_known()
    item = bank.position(first.attempts.item)
    known = item >= 0
    learner = first.learner_no[first.attempts.learner[known]]
    topic = np.where(first.topic_no[known] > 0, first.topic_no[known], NO_TOPIC)
    week = np.full(learner.size, week_number(monday), np.int32)
    return learner, item[known], first.attempts.correct[known], week, topic
