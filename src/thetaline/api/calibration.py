"""POST /irt/calibrate: answers in, item parameters and abilities on one scale out."""

from datetime import datetime
from typing import Annotated, Literal, NotRequired, Self

from pydantic import Field, FiniteFloat, model_validator
from typing_extensions import TypedDict

from thetaline.api.base import (
    KEYED,
    MAX_ITEMS,
    OPEN,
    DichotomousModel,
    Id,
    Params,
    Payload,
    Reply,
    StopAtFirstError,
    with_examples,
)

# A literal is looked up, a union is tried member by member: a fifth of the time of 40,000 answers.
Correct = Literal[True, False, 0, 1, None]
Matrix = Annotated[
    list[Annotated[list[Correct], StopAtFirstError()]],
    Field(min_length=1, description="rows learners, columns items, null = missing"),
    StopAtFirstError(),
]


class Observation(TypedDict):
    """One answer. `is_correct` null: not answered, missing rather than wrong. Fields it does not name are ignored."""

    __pydantic_config__ = KEYED  # type: ignore[misc]

    user_id: Id
    item_id: Id
    is_correct: Correct
    responded_at: NotRequired[datetime | None]


class Anchor(Payload):
    """An item whose reference parameters hold the scale."""

    item_id: Id
    params: Params
    fixed: bool = Field(
        default=False, description="true: held at these values in the fit; false: linked to after the fit"
    )
    model: DichotomousModel | None = None


Anchors = Annotated[list[Anchor], Field(max_length=MAX_ITEMS), StopAtFirstError()]


class CalibrateRequest(Payload):
    """Answers as `observations`, or as a matrix `responses` (rows learners, columns items, null = missing)."""

    # TypedDicts rather than models: 500,000 of them validate in 1 s and half the memory.
    observations: Annotated[list[Observation], Field(min_length=1), StopAtFirstError()] | None = None
    responses: Matrix | None = Field(default=None, examples=[[[0, 1, None], [1, 1, 0]]])
    model: DichotomousModel = "2PL"
    anchors: Anchors = Field(default_factory=list)

    model_config = with_examples(
        {
            "observations": [
                {
                    "user_id": "u1",
                    "item_id": "101",
                    "is_correct": True,
                    "responded_at": "2025-11-01T00:00:00Z",
                }
            ],
            "model": "2PL",
            "anchors": [{"item_id": "101", "params": {"a": 1.2, "b": 0.5}, "fixed": True}],
        }
    )

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        if (self.observations is None) == (self.responses is None):
            raise ValueError("give observations or responses, one of the two")
        return self

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        widths = {len(row) for row in self.responses or []}
        if len(widths) > 1 or widths == {0}:
            raise ValueError(f"responses must be rows of one length above 0; there are rows of {sorted(widths)[:5]}")
        return self

    @model_validator(mode="after")
    def _anchors_once(self) -> Self:
        if len({anchor.item_id for anchor in self.anchors}) < len(self.anchors):
            raise ValueError("anchors name an item more than once")
        return self


class CalibrateHeader(Payload):
    """What a body in rows (NDJSON, Parquet, Arrow) says beside them: an NDJSON body's first line; `?model=`, which also
    a JSON body may leave its model to."""

    model: DichotomousModel = "2PL"
    anchors: Anchors = Field(default_factory=list)


class FittedModel(Reply):
    """What was fitted to what."""

    model: str
    n_items: int
    n_users: int
    n_anchors: int


class LinkingConstants(Reply):
    """θ' = Aθ + B onto the anchors' scale; `dropped` has the anchors that the screening left out, with the reason."""

    A: FiniteFloat = Field(gt=0)
    B: FiniteFloat
    n_anchors_used: int
    method: str
    dropped: dict[str, str] = Field(default_factory=dict)


class FitMetrics(Reply):
    """How the fit went."""

    log_likelihood: float
    aic: float
    bic: float
    cycles: int
    converged: bool
    status: str = ""
    engine: str = ""


class AbilityDistribution(Reply):
    """Mean and standard deviation of θ on the reply's scale."""

    mean: float
    sd: float


class FitMeta(Reply):
    """The run, what it fitted, onto which scale, and how it went."""

    run_id: str
    model_spec: FittedModel
    linked: bool | None = Field(default=None, description="whether the result is on the anchors' scale")
    not_linked: str | None = Field(default=None, description="why anchors were given and yet not used")
    linking_constants: LinkingConstants | None = None
    population: AbilityDistribution | None = None
    item_notes: dict[str, list[str]] = Field(default_factory=dict, description="findings, and the items they are about")
    metrics: FitMetrics


class CalibratedItem(TypedDict):
    """Parameters `a`, `b` and, as the model has them, `c`, `d`; their standard errors; the covariance of a and b.

    An anchor that is held has no error of its own.
    """

    __pydantic_config__ = OPEN  # type: ignore[misc]

    item_id: Id
    params: dict[str, float]
    se: NotRequired[dict[str, float | None]]
    cov_ab: NotRequired[float | None]


class CalibratedAbility(TypedDict):
    """EAP and posterior standard deviation of a learner; `user_id` is the row's number (from 1) of a matrix."""

    __pydantic_config__ = OPEN  # type: ignore[misc]

    user_id: Id
    theta: float
    se: float


class CalibrateResponse(Reply):
    """Everything on one scale: the anchors' if `fit_meta.linked`, else N(0, 1) of these learners."""

    status: Literal["ok"] = "ok"
    fit_meta: FitMeta
    item_params: list[CalibratedItem]
    abilities: list[CalibratedAbility]
    free_anchors: list[CalibratedItem] | None = Field(
        default=None, description="what these answers alone say of the anchors, on the anchors' scale"
    )
