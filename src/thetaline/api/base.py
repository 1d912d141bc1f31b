"""What all payloads share: strictness, ids, finite numbers, sizes, the error body."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    GetCoreSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic_core import CoreSchema

MAX_ID_CHARS = 200
MAX_ITEMS = 100_000
MAX_GRID = 1_000
MAX_THETA = 20.0

LEAST_SLOPE = 1e-6  # below, the scale of an item drowns in rounding


def _not_vanishing(a: float) -> float:
    if 0 < abs(a) < LEAST_SLOPE:
        raise ValueError(f"the discrimination {a!r} is neither 0 nor at least {LEAST_SLOPE} in size")
    return a


# Text only, as in the contract: 101, 101.0 and "101" would be one item under three names.
Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARS)]
# An id that reaches the database: PostgreSQL's text cannot hold NUL.
StoredId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARS, pattern=r"^[^\x00]+$")]
Theta = Annotated[FiniteFloat, Field(ge=-MAX_THETA, le=MAX_THETA, description="ability on the logistic scale, D = 1")]
Discrimination = Annotated[
    FiniteFloat, AfterValidator(_not_vanishing), Field(ge=-100, le=100, description="a, D = 1; 0, or at least 1e-6")
]
Difficulty = Annotated[FiniteFloat, Field(ge=-100, le=100, description="b on the θ scale")]
Asymptote = Annotated[FiniteFloat, Field(ge=0, le=1)]
PositiveSe = Annotated[FiniteFloat, Field(gt=0, le=100)]
DichotomousModel = Literal["Rasch", "1PL", "2PL", "3PL", "4PL"]

# A request's unknown field is worth a 422: a misspelt `anchors` would leave a calibration unlinked in silence.
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)
# A reply may grow fields that an older client does not know, and another server's reply may have its own.
OPEN = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True)


# Rows of answers come from tables with more columns than these.
KEYED = ConfigDict(extra="ignore", strict=True)


class StopAtFirstError:
    """On a list or an object of a request: its first wrong entry is the last one looked at.

    Two million equal wrong entries come in 20 kB of gzip; a fault for each would take gigabytes.
    """

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """What `Field(fail_fast=True)` does for lists, for objects too (pydantic has it for them from 2.14 on)."""
        return {**handler(source), "fail_fast": True}


def with_examples(*examples: Any) -> ConfigDict:
    """The configuration of a request body that shows `examples` in the OpenAPI document."""
    return ConfigDict(**STRICT, json_schema_extra={"examples": list(examples)})


class Payload(BaseModel):
    """A request body: frozen, no field it does not name, no number that is not finite."""

    model_config = STRICT


class Reply(BaseModel):
    """An answer's body: fields it does not name are ignored."""

    model_config = OPEN


class ErrorBody(Reply):
    """Every answer that is no success."""

    error: str = Field(description="what was wrong, for people", examples=["the body is not valid"])
    detail: Any = Field(default=None, description="where and why; a list of faults for a 422")
    request_id: str | None = Field(default=None, description="the id under which the server logged the request")


class Params(Payload):
    """Published parameters of one dichotomous item: P = c + (d − c) / (1 + exp(−a(θ − b)))."""

    a: Discrimination
    b: Difficulty
    c: Asymptote | None = Field(default=None, description="lower asymptote; absent: 0")
    d: Asymptote | None = Field(default=None, description="upper asymptote; absent: 1")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.c or 0.0) >= (1.0 if self.d is None else self.d):
            raise ValueError(f"the lower asymptote c = {self.c} must lie below the upper asymptote d = {self.d}")
        return self


class ItemParams(Params):
    """Parameters with the item they belong to."""

    item_id: Id


# Two ways to hand over a bank: a list (in the order of a response matrix's columns), or an object keyed by id.
ItemList = Annotated[list[ItemParams], Field(min_length=1, max_length=MAX_ITEMS), StopAtFirstError()]
ItemMap = Annotated[dict[Id, Params], Field(min_length=1, max_length=MAX_ITEMS), StopAtFirstError()]


def named_items(items: "list[ItemParams] | Mapping[str, Params]") -> dict[str, Params]:
    """The bank by id in its order. Raises ValueError with the ids that come twice."""
    if isinstance(items, Mapping):
        return dict(items)
    found = {item.item_id: item for item in items}
    if len(found) != len(items):
        seen: set[str] = set()
        twice = sorted({item.item_id for item in items if item.item_id in seen or seen.add(item.item_id)})  # type: ignore[func-returns-value]
        raise ValueError(f"item_params names {twice[:5]} more than once")
    return dict(found)
