"""A learner's week as one value: everything that a page may say, as numbers and closed sets of findings.

No words of a language are here, no clock, no randomness: the same rows make the same value, and the same value the same
page. A section is None where there is nothing to say of it, or `Absent` where the page says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from statistics import NormalDist

from thetaline.reports.kinds import (
    Absent as Absent,
    Audience as Audience,
    Change as Change,
    GoalVerdict as GoalVerdict,
    ItemReason as ItemReason,
    Language as Language,
    TopicVerdict as TopicVerdict,
)

Z_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard error; the interval is 95 %, normal."""

    value: float
    se: float

    @property
    def low(self) -> float:
        """Lower bound of the 95 % interval."""
        return self.value - Z_95 * self.se

    @property
    def high(self) -> float:
        """Upper bound of the 95 % interval."""
        return self.value + Z_95 * self.se


@dataclass(frozen=True, slots=True)
class Interval:
    """A value between bounds that need not lie symmetrically, 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom the page is about and for; `name` is what the page calls the learner, else the id."""

    user_id: str
    name: str | None
    audience: Audience
    language: Language
    class_name: str | None = None

    @property
    def called(self) -> str:
        """The name, else the id."""
        return self.name or self.user_id


@dataclass(frozen=True, slots=True)
class Headline:
    """The finding that leads the page: the growth line's slope, θ a week."""

    change: Change
    slope: Estimate | None
    n_weeks: int
    n_answers: int  # of the week
    since: date | None = None  # of a level line


@dataclass(frozen=True, slots=True)
class WeeklyMeasure:
    """θ of one week's first answers alone (Warm's WLE)."""

    week: date
    theta: Estimate
    n: int


@dataclass(frozen=True, slots=True)
class GrowthLine:
    """Level at the end of the reported week and slope a week; from `bend_week` on the line is level."""

    level: Estimate
    slope: Estimate
    n_weeks: int
    bend_week: date | None
    fitted: tuple[tuple[date, Estimate], ...]  # the line in each week shown


@dataclass(frozen=True, slots=True)
class ForecastPoint:
    """θ of a week ahead: mean, 80 % and 95 % bounds of the weekly measure."""

    week: date
    mean: float
    low_80: float
    high_80: float
    low_95: float
    high_95: float


@dataclass(frozen=True, slots=True)
class Trend:
    """What the chart of θ shows."""

    measures: tuple[WeeklyMeasure, ...]  # oldest first; weeks without answers have none
    line: GrowthLine | Absent
    target: float | None
    target_date: date | None
    forecast: tuple[ForecastPoint, ...]
    forecast_absent: Absent | None = None


@dataclass(frozen=True, slots=True)
class Percentile:
    """Where the learner stands in the group, in per cent of its learners; no name of a group is all learners."""

    value: Interval  # 0 … 100
    group: str
    n: int


@dataclass(frozen=True, slots=True)
class Standing:
    """θ now; `level` indexes the level descriptors, None where the interval spans too many of them."""

    theta: Estimate
    n_answers: int
    level: int | None
    percentile: Percentile | Absent


@dataclass(frozen=True, slots=True)
class TopicPractice:
    """The week's practice of a topic, and θ in it by all answers of the window."""

    topic_id: str
    attempts: int
    correct: int
    accuracy: Interval | None
    theta: Estimate | None
    difference: Estimate | None  # beside the general θ
    verdict: TopicVerdict


@dataclass(frozen=True, slots=True)
class PractisedItem:
    """An item of the week on the learner's scale; `expected`: chance of a right answer at the learner's θ."""

    item: str  # the code that people know, else the id
    topic_id: str | None
    difficulty: float
    expected: float
    correct: bool


@dataclass(frozen=True, slots=True)
class ItemMap:
    """Items beside the learner: `easier`, `matched`, `harder` count expected success > 0.75, between, < 0.45."""

    theta: Estimate
    items: tuple[PractisedItem, ...]
    easier: int
    matched: int
    harder: int


@dataclass(frozen=True, slots=True)
class KpiValue:
    """A weekly indicator; `change` is told only where the KPI's own error or a stored rule says that it is one."""

    key: str
    value: float
    before: float | None
    change: Change
    better: Change  # the direction that is good for the learner


@dataclass(frozen=True, slots=True)
class GoalOutlook:
    """A goal: is the level reached by now, and the chance that it is on the day."""

    topic_id: str
    target: float
    target_date: date | None
    verdict: GoalVerdict | Absent
    probability: float | Absent
    ever_probability: float | None


@dataclass(frozen=True, slots=True)
class Effort:
    """Answers faster than reading takes; θ with and without them, `differs` where by more than half an se."""

    n_timed: int
    n_rapid: int
    theta: Estimate | None
    theta_without_rapid: Estimate | None
    differs: bool


@dataclass(frozen=True, slots=True)
class SuggestedItem:
    """What to practise next, with the expected success and why."""

    item: str
    topic_id: str | None
    content: str | None
    expected: float
    reason: ItemReason


@dataclass(frozen=True, slots=True)
class SuggestedTopic:
    """A topic to go on with, and why."""

    topic_id: str
    reason: ItemReason


@dataclass(frozen=True, slots=True)
class ExampleItem:
    """A question of the bank that the learner now gets right with about the chance `expected`."""

    item: str
    topic_id: str | None
    content: str | None
    expected: float


@dataclass(frozen=True, slots=True)
class Linking:
    """How the run's scale is tied to the anchors': θ' = A θ + B."""

    slope: float  # A
    shift: float  # B
    n_anchors_used: int
    method: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """The calibration that the numbers rest on."""

    run_id: str
    model: str
    fitted_at: datetime
    n_items: int
    n_learners: int
    linking: Linking | Absent


@dataclass(frozen=True, slots=True)
class Risk:
    """Chance of 14 school days without activity; for teachers only."""

    probability: float
    source: str  # landmark_hazard or inactivity


@dataclass(frozen=True, slots=True)
class WeeklyReport:
    """One learner's week. `week` is its ISO Monday; `as_of` its Sunday."""

    reader: Reader
    week: date
    as_of: date
    headline: Headline
    trend: Trend | Absent
    standing: Standing | Absent
    topics: tuple[TopicPractice, ...]
    item_map: ItemMap | Absent
    kpis: tuple[KpiValue, ...]
    goals: tuple[GoalOutlook, ...]
    effort: Effort | Absent
    next_topics: tuple[SuggestedTopic, ...]
    next_items: tuple[SuggestedItem, ...]
    examples: tuple[ExampleItem, ...]
    measurement: Measurement | Absent
    risk: Risk | Absent
    segment: Mapping[str, str] | Absent  # the segment's label by language
    sources: tuple[str, ...]  # the runs that any number of the page comes from, sorted
