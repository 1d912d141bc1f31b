"""POST /growth/…: growth lines from answers, and what they say of a later day."""

from datetime import date
from typing import Annotated, Any, Literal, NotRequired, Self

from pydantic import Field, FiniteFloat, model_validator
from typing_extensions import TypedDict

from thetaline.api.base import (
    KEYED,
    OPEN,
    Id,
    ItemList,
    ItemMap,
    Payload,
    Reply,
    StopAtFirstError,
    Theta,
    named_items,
    with_examples,
)

Spread = Annotated[FiniteFloat, Field(ge=0, le=100)]
Day = Annotated[date, Field(ge=date(1970, 1, 5), le=date(2200, 1, 1))]


class DatedResponse(TypedDict):
    """One answer on a day; `is_correct` null: not answered. Fields it does not name are ignored."""

    __pydantic_config__ = KEYED  # type: ignore[misc]

    user_id: Id
    item_id: Id
    is_correct: Literal[True, False, 0, 1, None]
    date: Day
    topic: NotRequired[Id | None]


_ANSWERS = [
    {"user_id": f"u{user}", "item_id": str(101 + item), "is_correct": (user + item + week) % 3 > 0, "date": day}
    for user in range(6)
    for week, day in enumerate(("2025-10-06", "2025-10-14", "2025-10-27"))
    for item in range(3)
]


class GrowthFitRequest(Payload):
    """Items held fixed and answers with their days; of several answers to an item in an ISO week the first counts."""

    item_params: ItemList | ItemMap
    responses: Annotated[list[DatedResponse], Field(min_length=1), StopAtFirstError()]
    now: Day | None = Field(
        default=None, description="a day of the week that levels are of; default: the last answer's"
    )

    model_config = with_examples(
        {
            "item_params": {"101": {"a": 1.2, "b": 0.5}, "102": {"a": 0.8, "b": -0.3}, "103": {"a": 1.0, "b": 0.0}},
            "responses": _ANSWERS,
        }
    )

    @model_validator(mode="after")
    def _items_once(self) -> Self:
        named_items(self.item_params)
        return self


class GrowthMeta(Reply):
    """The run, how it ended, what a simplified model leaves out, and its diagnostics."""

    run_id: str
    status: str
    dropped: list[str] = Field(default_factory=list)
    now: date = Field(description="Monday of the week that levels are of")
    diagnostics: dict[str, float | None]


class GrowthLine(TypedDict):
    """θ now and its change a week, with posterior standard deviations; weeks are Mondays.

    `bend_week`: from then on θ stays level.
    """

    __pydantic_config__ = OPEN  # type: ignore[misc]

    user_id: str
    level: float
    level_se: float
    slope: float
    slope_se: float
    correlation: float
    n_answers: int
    n_weeks: int
    first_week: date
    last_week: date
    bend_week: NotRequired[date | None]


class GrowthFitResponse(Reply):
    """The cohort's line, how learners spread around it, and every learner's line."""

    status: Literal["ok"] = "ok"
    fit_meta: GrowthMeta
    fixed_effects: list[dict[str, Any]] = Field(description="term, estimate, se, z")
    spreads: dict[str, float]
    learners: list[GrowthLine]


class GivenLine(TypedDict):
    """As /growth/fit answers it."""

    __pydantic_config__ = KEYED  # type: ignore[misc]

    user_id: Id
    level: Theta
    level_se: Spread
    slope: Theta
    slope_se: Spread
    correlation: Annotated[FiniteFloat, Field(ge=-1, le=1)]
    n_answers: Annotated[int, Field(ge=1, le=10_000_000)]
    n_weeks: Annotated[int, Field(ge=1, le=10_000)]
    first_week: Day
    last_week: Day


class GrowthPredictRequest(Payload):
    """Lines as /growth/fit answered them, a day, and perhaps the goal of each learner on the θ scale."""

    now: Day
    date: Day
    walk_sd: Spread = Field(default=0.0, description="of `spreads`: process error a week")
    learners: Annotated[list[GivenLine], Field(min_length=1), StopAtFirstError()]
    targets: dict[Id, Theta] = Field(default_factory=dict)

    model_config = with_examples(
        {
            "now": "2025-10-27",
            "date": "2025-11-23",
            "walk_sd": 0.05,
            "learners": [
                {
                    "user_id": "u1",
                    "level": 0.3,
                    "level_se": 0.2,
                    "slope": 0.05,
                    "slope_se": 0.03,
                    "correlation": 0.2,
                    "n_answers": 120,
                    "n_weeks": 10,
                    "first_week": "2025-08-18",
                    "last_week": "2025-10-27",
                }
            ],
            "targets": {"u1": 0.8},
        }
    )


class PredictedGrowth(TypedDict):
    """θ on the day; of a goal the probability on the day, and of any day up to it. Null with the `reason`."""

    __pydantic_config__ = OPEN  # type: ignore[misc]

    user_id: str
    theta: float | None
    se: float | None
    probability: NotRequired[float | None]
    ever_probability: NotRequired[float | None]
    reason: NotRequired[str | None]


class GrowthPredictResponse(Reply):
    """One row a learner, in the order of the request."""

    status: Literal["ok"] = "ok"
    date: date
    predictions: list[PredictedGrowth]
