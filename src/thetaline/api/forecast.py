"""POST /prophet/fit and /forecast/summary: weekly series a few weeks ahead, and whether the newest week is odd."""

from datetime import date
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, FiniteFloat
from typing_extensions import TypedDict

from thetaline.api.base import KEYED, OPEN, Id, Payload, Reply, StopAtFirstError, with_examples
from thetaline.api.churn import Day, FreePeriod

Value = Annotated[FiniteFloat, Field(ge=-1e6, le=1e6)]
StandardError = Annotated[FiniteFloat, Field(ge=1e-6, le=1e6)]
Count = Annotated[int, Field(ge=1, le=10**9)]


class WeekRow(TypedDict):
    """A value of a week, named by any of its days. `se`: of theta or I_t; `n`: answers behind an accuracy."""

    __pydantic_config__ = KEYED  # type: ignore[misc]

    series: Id
    week: Day
    value: Value
    se: NotRequired[StandardError | None]
    n: NotRequired[Count | None]


class ForecastRequest(Payload):
    """Series of one metric; a week without a row is missing. The newest week of all is tested against those before."""

    rows: Annotated[list[WeekRow], Field(min_length=1), StopAtFirstError()]
    metric: Literal["theta", "I_t", "accuracy", "activity"] = "theta"
    horizon: Annotated[int, Field(ge=1, le=4)] = 4
    threshold: Annotated[FiniteFloat, Field(ge=0, le=100)] = Field(default=2.5, description="least |z| of an anomaly")
    last_week: Day | None = Field(default=None, description="the last week that is over; default: the newest row's")
    holidays: Annotated[list[FreePeriod], Field(max_length=1000)] = Field(default_factory=list)

    model_config = with_examples(
        {
            "rows": [
                {"series": "u1", "week": "2025-09-29", "value": 0.31, "se": 0.4},
                {"series": "u1", "week": "2025-10-06", "value": 0.12, "se": 0.5},
                {"series": "u1", "week": "2025-10-13", "value": 0.44, "se": 0.35},
                {"series": "u1", "week": "2025-10-20", "value": 0.38, "se": 0.4},
                {"series": "u1", "week": "2025-10-27", "value": 0.52, "se": 0.4},
            ],
            "metric": "theta",
            "holidays": [{"first_day": "2025-10-03", "last_day": "2025-10-09", "name": "Chuseok"}],
        }
    )


class WeekAhead(TypedDict):
    """What a coming week will show, with the measurement: mean, sd, 80 and 95 % intervals."""

    __pydantic_config__ = OPEN  # type: ignore[misc]

    horizon: int
    week_start: date
    mean: float
    sd: float
    low_95: float
    low_80: float
    high_80: float
    high_95: float


class SeriesForecast(TypedDict):
    """One series; `reason` is why it has no forecast."""

    __pydantic_config__ = OPEN  # type: ignore[misc]

    series: str
    weeks_known: int
    reason: str | None
    ahead: list[WeekAhead]


class SeriesSummary(TypedDict):
    """The next week of one series with its 80 % interval, how far the last week ahead lies from it, and news."""

    __pydantic_config__ = OPEN  # type: ignore[misc]

    series: str
    weeks_known: int
    reason: str | None
    next_mean: float | None
    next_low_80: float | None
    next_high_80: float | None
    change_ahead: float | None
    is_anomaly: bool
    changed_on: date | None


class ForecastResponse(Reply):
    """Every series' forecasts, the odd ones of the newest week, and where a level changed."""

    status: Literal["ok"] = "ok"
    fit_meta: dict[str, Any] = Field(description="run_id, metric, counts, variances, degrees_of_freedom, intended_use")
    forecasts: list[SeriesForecast]
    anomalies: list[dict[str, Any]] = Field(description="series, week_start, value, expected, anomaly_score, p_value")
    changepoints: list[dict[str, Any]] = Field(description="series, week_start, size, p")


class ForecastSummaryResponse(Reply):
    """A line a series."""

    status: Literal["ok"] = "ok"
    fit_meta: dict[str, Any] = Field(description="run_id, metric, counts, variances, degrees_of_freedom, intended_use")
    series: list[SeriesSummary]
