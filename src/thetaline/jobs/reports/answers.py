"""The answers of a chunk of learners: of the reported week, of the window that θ comes from, of the last days."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import psycopg

from thetaline.jobs.abilities.answers import LearnerAnswers, read_answers
from thetaline.jobs.reports.runs import WeekRuns
from thetaline.learning.attempts import last_per_pair
from thetaline.learning.windows import KPI_WINDOW_DAYS, Window, last_days, week_window
from thetaline.reports.policy import ReportOptions

SEEN_DAYS = 14
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, eq=False)
class ChunkAnswers:
    """All answers of the last weeks; learners are positions in `all.learner_no`."""

    all: LearnerAnswers
    week: Window
    theta_window: Window
    month: Window
    seen_window: Window

    @classmethod
    def read(cls, conn: Connection, runs: WeekRuns, learners: Sequence[int], options: ReportOptions) -> Self:
        """In one query."""
        days = max(options.theta_days, KPI_WINDOW_DAYS)
        answers = read_answers(conn, last_days(runs.as_of, days), learners, calendar=options.calendar)
        windows = (last_days(runs.as_of, days) for days in (options.theta_days, KPI_WINDOW_DAYS, SEEN_DAYS))
        return cls(answers, week_window(runs.week), *windows)

    def of(self, window: Window) -> LearnerAnswers:
        """Those inside a window."""
        return self.all.where(window.contains(self.all.attempts.day))

    def answered_in(self, window: Window) -> LearnerAnswers:
        """Those inside a window that are right or wrong, repeated ones too."""
        inside = window.contains(self.all.attempts.day)
        return self.all.where(inside & (self.all.attempts.correct >= 0))

    def missed(self) -> LearnerAnswers:
        """The last answer to each item within 28 days, where it is wrong."""
        answered = self.answered_in(self.month)
        last = np.zeros(answered.n_answers, bool)
        last[last_per_pair(answered.attempts.learner, answered.attempts.item)] = True
        return answered.where(last & (answered.attempts.correct == 0))


def by_learner(answers: LearnerAnswers) -> dict[int, slice]:
    """Where each learner's answers lie, by learner_no."""
    learner = answers.attempts.learner
    starts = np.flatnonzero(np.diff(learner, prepend=-1))
    stops = np.append(starts, learner.size)[1:]
    numbers = answers.learner_no[learner[starts]].tolist()
    return {
        number: slice(start, stop) for number, start, stop in zip(numbers, starts.tolist(), stops.tolist(), strict=True)
    }
