"""A class's week as one value, for its teacher: every number with its uncertainty, no ranking of learners."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from thetaline.reports.value import Absent, Change, Estimate, Interval, Language, Measurement


class NextStep(StrEnum):
    """What to do next with a learner; each learner is in one group, the first that holds."""

    TALK = "talk"  # silent, or likely to fall silent
    SUPPORT = "support"  # clearly losing, or clearly below the goal
    STRETCH = "stretch"  # goal met clearly: harder work
    KEEP_GOING = "keep_going"  # clearly growing
    MORE_ANSWERS = "more_answers"  # too little is known to say anything


@dataclass(frozen=True, slots=True)
class ClassLearner:
    """A learner in the class; None or UNKNOWN where nothing is known."""

    user_id: str
    name: str | None
    theta: Estimate | None
    slope: Estimate | None
    change: Change
    n_answers: int  # of the week
    risk: float | None
    next_step: NextStep

    @property
    def called(self) -> str:
        """The name, else the id."""
        return self.name or self.user_id


@dataclass(frozen=True, slots=True)
class ClassTopic:
    """A topic in the class's week; `difference` is the class's mean θ in it beside its general θ."""

    topic_id: str
    n_learners: int
    attempts: int
    accuracy: Interval
    difference: Estimate | None


@dataclass(frozen=True, slots=True)
class ClassReport:
    """One class's week."""

    classroom_id: str
    name: str
    language: Language
    week: date
    as_of: date
    n_learners: int
    n_active: int
    mean: Estimate | Absent
    spread: Interval | Absent  # sd of the learners' true θ, errors taken out
    mean_slope: Estimate | Absent
    learners: tuple[ClassLearner, ...]  # by name
    topics: tuple[ClassTopic, ...]
    measurement: Measurement | Absent
    sources: tuple[str, ...]
