"""POST /irt/score: abilities of learners on fixed item parameters."""

from typing import Annotated, Literal, NotRequired, Self

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
    named_items,
    with_examples,
)
from thetaline.api.calibration import Correct, Matrix


class KeyedResponse(TypedDict):
    """One answer of one learner; `is_correct` null: not answered. Fields it does not name are ignored."""

    __pydantic_config__ = KEYED  # type: ignore[misc]

    user_id: Id
    item_id: Id
    is_correct: Correct


class NormalPrior(Payload):
    """The normal distribution of ability before the answers."""

    mean: Annotated[FiniteFloat, Field(ge=-20, le=20)] = 0.0
    sd: Annotated[FiniteFloat, Field(ge=0.01, le=20)] = 1.0


Keyed = Annotated[list[KeyedResponse], Field(min_length=1), StopAtFirstError()]


class ScoreRequest(Payload):
    """Positional (a list of items, a matrix with a column an item) or keyed (answers that name learner and item)."""

    item_params: ItemList | ItemMap
    responses: Matrix | Keyed
    method: Literal["EAP", "MAP", "WLE"] = "EAP"
    prior: NormalPrior = NormalPrior()

    model_config = with_examples(
        {
            "item_params": [{"item_id": "101", "a": 1.2, "b": 0.5}, {"item_id": "102", "a": 0.8, "b": -0.3}],
            "responses": [[1, 0], [None, 1]],
        },
        {
            "item_params": {"101": {"a": 1.2, "b": 0.5}, "102": {"a": 0.8, "b": -0.3}},
            "responses": [{"user_id": "u1", "item_id": "101", "is_correct": True}],
        },
    )

    @property
    def positional(self) -> bool:
        """Whether `responses` is a matrix."""
        return isinstance(self.responses[0], list)

    @model_validator(mode="after")
    def _items_once(self) -> Self:
        named_items(self.item_params)
        return self

    @model_validator(mode="after")
    def _columns_are_items(self) -> Self:
        if not self.positional:
            return self
        if isinstance(self.item_params, dict):
            raise ValueError(  # noqa: TRY004  pydantic answers a ValueError, a TypeError would be a 500
                "a matrix needs item_params as a list: an object has no order of columns"
            )
        widths = {len(row) for row in self.responses}
        if widths != {len(self.item_params)}:
            raise ValueError(f"responses has rows of {sorted(widths)[:5]} cells for {len(self.item_params)} items")
        return self


class Ability(TypedDict):
    """θ with its standard error; without `user_id` for a row of a matrix.

    Both are null where the answers say nothing of θ and the method takes nothing from the prior: WLE of a row without
    an answer, or of answers to items with a = 0 only.
    """

    __pydantic_config__ = OPEN  # type: ignore[misc]

    user_id: NotRequired[str]
    theta: float | None
    se: float | None


class ScoreResponse(Reply):
    """One ability a row of the matrix, or one a learner in the order of first appearance."""

    status: Literal["ok"] = "ok"
    abilities: list[Ability]
