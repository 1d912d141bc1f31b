"""The reading API of one learner: θ, weekly KPIs, and what a finished session does to them."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, field_validator, model_validator

from thetaline.api.base import Payload, Reply, StopAtFirstError, StoredId, with_examples
from thetaline.api.calibration import Correct

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)  # at the ends of the calendar a zone or a week's window leads out of it
MAX_ANSWERS = 2_000  # of a session
AHEAD = timedelta(days=1)  # of the service's clock


def _within_reach(moment: datetime) -> datetime:
    if not EARLIEST <= moment <= datetime.now(UTC) + AHEAD:
        raise ValueError(f"{moment.isoformat()} lies before 1970 or more than a day ahead of now")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_within_reach)]


class ThetaPoint(Reply):
    """An estimate with what made it."""

    theta: float
    se: float
    model: str
    version: int | None = None
    run_id: str
    fitted_at: datetime


class TopicTheta(ThetaPoint):
    """An estimate of one topic."""

    topic_id: str


class LearnerTheta(Reply):
    """The latest θ of a learner, general and per topic."""

    user_id: str
    general: ThetaPoint
    topics: list[TopicTheta]


class ThetaHistory(Reply):
    """Every estimate of a learner, newest first; of one topic if `topic_id` is set."""

    user_id: str
    topic_id: str | None
    points: list[ThetaPoint]


class WeeklyKpis(Reply):
    """The indicators of one ISO week; a key that could not be computed is absent."""

    week_start: date
    kpis: dict[str, Any]
    updated_at: datetime


class KpiHistory(Reply):
    """The indicators by week, newest first."""

    user_id: str
    weeks: list[WeeklyKpis]


class RecomputeRequest(Payload):
    """Which week to compute again."""

    week_start: date = Field(description="a Monday", examples=["2025-11-03"])

    @field_validator("week_start")
    @classmethod
    def _monday(cls, day: date) -> date:
        if day.weekday():
            raise ValueError(f"week_start {day} is no Monday")
        if day < EARLIEST.date():
            raise ValueError(f"week_start {day} lies before 1970")
        return day


class WeekRecomputed(Reply):
    """The week after the recompute."""

    status: Literal["ok"] = "ok"
    user_id: str
    week: WeeklyKpis | None = Field(description="null: nothing could be computed for that week")


class SessionAnswer(Payload):
    """An answer of the session."""

    item_id: StoredId
    is_correct: Correct
    answered_at: Moment | None = Field(default=None, description="from 1970 to a day ahead of now")


class ThetaUpdateRequest(Payload):
    """The session that ended: its id if its answers are in `exam_results`, else the id and the answers."""

    session_id: StoredId
    answers: Annotated[list[SessionAnswer], Field(min_length=1, max_length=MAX_ANSWERS), StopAtFirstError()] | None = (
        None
    )

    model_config = with_examples(
        {"session_id": "s-1", "answers": [{"item_id": "101", "is_correct": True}]},
        {"session_id": "s-1"},
    )

    @model_validator(mode="after")
    def _items_once(self) -> Self:
        ids = [answer.item_id for answer in self.answers or []]
        if len(set(ids)) < len(ids):
            raise ValueError("answers name an item more than once; a session answers an item once")
        return self


class ThetaUpdated(Reply):
    """θ on the answers of the learner's window, the session's among them; the same session again changes nothing."""

    status: Literal["ok"] = "ok"
    user_id: str
    theta: float | None = Field(description="null: no answer in the window is to an item with published parameters")
    se: float | None
    n_answers: int = Field(description="answers in the window that θ stands on")
    changed: bool = Field(description="whether θ moved, and was written")
    run_id: str | None = Field(description="under which it was written; null where nothing was")
