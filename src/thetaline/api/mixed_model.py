"""POST /glmm/…: mixed models of scores over weeks, and what they say of new rows."""

from datetime import date
from typing import Annotated, Literal, NotRequired

from pydantic import Field, FiniteFloat
from typing_extensions import TypedDict

from thetaline.api.base import KEYED, OPEN, Id, Payload, Reply, StopAtFirstError, with_examples

FORMULA = "score ~ week + (week|student) + (1|topic)"
MAX_WEEKS = 10_000

Number = Annotated[FiniteFloat, Field(ge=-1e9, le=1e9)]
Week = Annotated[FiniteFloat, Field(ge=-MAX_WEEKS, le=MAX_WEEKS)] | date
ModelFamily = Literal["gaussian", "binomial"]


class ScoreRow(TypedDict):
    """A score of a student in a week: a number of weeks, or any day of it. Fields it does not name are ignored.

    `trials`: answers behind a share right (binomial). `error_variance`: known variance of a score (gaussian).
    """

    __pydantic_config__ = KEYED  # type: ignore[misc]

    student: Id
    topic: NotRequired[Id | None]
    week: Week
    score: Number
    trials: NotRequired[Annotated[int, Field(ge=1, le=1_000_000)]]
    error_variance: NotRequired[Annotated[FiniteFloat, Field(ge=0, le=1e9)]]


_ROWS = [
    {"student": f"s{student}", "topic": f"t{(student + week) % 3}", "week": week, "score": score}
    for student, scores in enumerate(
        ((1.0, 1.9, 3.2, 3.9), (0.2, 0.4, 0.3, 0.8), (2.0, 2.4, 3.1, 3.4), (1.1, 0.9, 1.2, 1.6))
    )
    for week, score in enumerate(scores)
]


class FitProgressRequest(Payload):
    """Rows and a formula of `student`, `topic`, `week` and `score`; it is parsed by a grammar, never evaluated."""

    rows: Annotated[list[ScoreRow], Field(min_length=1), StopAtFirstError()]
    formula: Annotated[str, Field(min_length=1, max_length=500)] = FORMULA
    family: ModelFamily = "gaussian"
    reml: bool = Field(default=True, description="REML rather than ML, of a gaussian score")

    model_config = with_examples({"rows": _ROWS, "formula": "score ~ week + (1|student)", "family": "gaussian"})


class MixedModelSpec(Reply):
    """What was fitted: `formula` is the one that the data carried."""

    formula: str
    family: str
    n: int
    groups: dict[str, int] = Field(description="levels of each group")


class RejectedModel(Reply):
    """A formula that was tried first, and why it was not taken."""

    formula: str
    reason: str


class FitProgressMeta(Reply):
    """The run and its model."""

    run_id: str
    model_spec: MixedModelSpec
    fell_back_from: list[RejectedModel] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list, description="what these data cannot tell")


class FixedEffect(TypedDict):
    """A coefficient with its standard error; z is their ratio."""

    __pydantic_config__ = OPEN  # type: ignore[misc]

    term: str
    estimate: float
    se: float
    z: float


class LevelEffects(TypedDict):
    """BLUPs of one level, by the names of the effects, with standard errors."""

    __pydantic_config__ = OPEN  # type: ignore[misc]

    level: str
    values: dict[str, float]
    se: dict[str, float]


class RandomEffects(Reply):
    """How the levels of a group differ, and each level."""

    sd: dict[str, float]
    correlation: float | None = None
    levels: list[LevelEffects]


class FitProgressResponse(Reply):
    """A converged, non-singular model."""

    status: Literal["ok"] = "ok"
    fit_meta: FitProgressMeta
    fixed_effects: list[FixedEffect]
    random_effects: dict[str, RandomEffects]
    residual_sd: float | None
    metrics: dict[str, float] = Field(description="logLik, AIC, BIC, RMSE")


class GivenFixedEffect(TypedDict):
    """As /glmm/fit_progress answers it; its errors are not needed."""

    __pydantic_config__ = KEYED  # type: ignore[misc]

    term: Annotated[str, Field(pattern=r"^(\(Intercept\)|week)$")]
    estimate: Number


class GivenLevel(TypedDict):
    """As /glmm/fit_progress answers it."""

    __pydantic_config__ = KEYED  # type: ignore[misc]

    level: Id
    values: dict[Annotated[str, Field(pattern=r"^(\(Intercept\)|week)$")], Number]


class GivenGroup(TypedDict):
    """As /glmm/fit_progress answers it."""

    __pydantic_config__ = KEYED  # type: ignore[misc]

    levels: Annotated[list[GivenLevel], StopAtFirstError()]


class NewRow(TypedDict):
    """A student in a week, told as in the fit, perhaps on a topic."""

    __pydantic_config__ = KEYED  # type: ignore[misc]

    student: NotRequired[Id | None]
    topic: NotRequired[Id | None]
    week: Week


class PredictProgressRequest(Payload):
    """A model as /glmm/fit_progress answered it, and rows to predict; an unknown level has the mean of all."""

    fixed_effects: Annotated[list[GivenFixedEffect], Field(min_length=1, max_length=2), StopAtFirstError()]
    random_effects: dict[Literal["student", "topic"], GivenGroup] = Field(default_factory=dict)
    family: ModelFamily = "gaussian"
    rows: Annotated[list[NewRow], Field(min_length=1), StopAtFirstError()]

    model_config = with_examples(
        {
            "fixed_effects": [{"term": "(Intercept)", "estimate": 0.9}, {"term": "week", "estimate": 0.5}],
            "random_effects": {"student": {"levels": [{"level": "s0", "values": {"(Intercept)": 0.1, "week": 0.2}}]}},
            "rows": [{"student": "s0", "week": 5}, {"student": "new", "week": 5}],
        }
    )


class PredictProgressResponse(Reply):
    """One prediction a row, on the scale of the score."""

    status: Literal["ok"] = "ok"
    predictions: list[float]
