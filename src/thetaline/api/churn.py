"""POST /survival/fit: the risk of falling silent, from the days of answers."""

from datetime import date
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from thetaline.api.base import KEYED, OPEN, Id, Payload, Reply, StopAtFirstError, with_examples

Day = Annotated[date, Field(ge=date(1970, 1, 5), le=date(2200, 1, 1))]


class ActivityRow(TypedDict):
    """One answer on a day; what it does not say is unknown. Fields it does not name are ignored."""

    __pydantic_config__ = KEYED  # type: ignore[misc]

    user_id: Id
    date: Day
    is_correct: NotRequired[Literal[True, False, 0, 1, None]]
    used_hints: NotRequired[Literal[True, False, 0, 1, None]]


class FreePeriod(TypedDict):
    """Days on which silence does not count, the first and the last included."""

    __pydantic_config__ = KEYED  # type: ignore[misc]

    first_day: Day
    last_day: Day
    name: NotRequired[Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]]


class SurvivalFitRequest(Payload):
    """Answers with their days; `groups` names what accuracy is told by, a classroom for example."""

    rows: Annotated[list[ActivityRow], Field(min_length=1), StopAtFirstError()]
    as_of: Day | None = Field(default=None, description="the last day that is over; default: the last answer's")
    silent_days: Annotated[int, Field(ge=7, le=28)] = 14
    holidays: Annotated[list[FreePeriod], Field(max_length=1000)] = Field(default_factory=list)
    groups: dict[Id, Id] = Field(default_factory=dict)

    model_config = with_examples(
        {
            "rows": [
                {"user_id": "u1", "date": "2025-10-06", "is_correct": True},
                {"user_id": "u1", "date": "2025-10-09", "is_correct": False},
                {"user_id": "u2", "date": "2025-10-07", "is_correct": True},
            ],
            "as_of": "2025-11-02",
            "holidays": [{"first_day": "2025-10-03", "last_day": "2025-10-09", "name": "Chuseok"}],
            "groups": {"u1": "1a", "u2": "1b"},
        }
    )


class LearnerRisk(TypedDict):
    """Of a learner at risk; `hazard_ratio` is to the mean of them."""

    __pydantic_config__ = OPEN  # type: ignore[misc]

    user_id: str
    risk: float
    hazard_ratio: float
    rank_percentile: float


class SurvivalFitResponse(Reply):
    """The model, how it fared on weeks held out, whose probability the risk is, and the risk of each at risk."""

    status: Literal["ok"] = "ok"
    fit_meta: dict[str, Any] = Field(description="run_id, formula, in_force, counts, intended_use")
    coefficients: list[dict[str, Any]] = Field(description="term, estimate, se, hazard_ratio")
    concordance: float | None
    accuracy: dict[str, dict[str, Any]]
    comparisons: list[dict[str, Any]]
    risks: list[LearnerRisk]
    already_silent: list[str]
