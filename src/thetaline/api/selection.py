"""POST /irt/information and POST /irt/next-items: what items tell about an ability, and which to ask next."""

from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from thetaline.api.base import (
    MAX_GRID,
    MAX_ITEMS,
    Id,
    ItemList,
    ItemMap,
    Payload,
    PositiveSe,
    Reply,
    StopAtFirstError,
    Theta,
    named_items,
    with_examples,
)

Bank = ItemList | ItemMap
_BANK = "items with parameters; absent: the published bank"
_EXAMPLE_BANK = {"101": {"a": 1.2, "b": 0.5}, "102": {"a": 0.8, "b": -0.3}, "103": {"a": 1.0, "b": 1.1, "c": 0.2}}


class InformationRequest(Payload):
    """Items (from the body, or by id from the published bank) and the abilities at which to look."""

    item_params: Bank | None = Field(default=None, description=_BANK)
    item_ids: Annotated[list[Id], Field(min_length=1, max_length=10_000), StopAtFirstError()] | None = Field(
        default=None, description="which items of the bank; absent: all of item_params"
    )
    theta: Annotated[list[Theta], Field(min_length=1, max_length=MAX_GRID), StopAtFirstError()] = Field(
        default_factory=lambda: [step / 4 for step in range(-16, 17)]
    )

    model_config = with_examples({"item_params": _EXAMPLE_BANK, "theta": [-1, 0, 1]})

    @model_validator(mode="after")
    def _some_items(self) -> Self:
        if self.item_params is None and self.item_ids is None:
            raise ValueError("give item_params, or item_ids of the published bank")
        known = named_items(self.item_params or {})
        unknown = [name for name in self.item_ids or () if name not in known]
        if self.item_params is not None and unknown:
            raise ValueError(f"item_ids {unknown[:5]} are not in item_params")
        return self


class ItemCurve(Reply):
    """Fisher information and expected score of one item at each θ."""

    item_id: str
    information: list[float]
    expected_score: list[float]


class InformationResponse(Reply):
    """Curves at `theta`; `se` = 1 / √(test information), null where nothing is told."""

    status: Literal["ok"] = "ok"
    theta: list[float]
    items: list[ItemCurve]
    test_information: list[float]
    se: list[float | None]


class NextItemsRequest(Payload):
    """Which items tell most about a learner at θ; with `se` the information is weighted by the posterior N(θ, se²)."""

    item_params: Bank | None = Field(default=None, description=_BANK)
    theta: Theta
    se: PositiveSe | None = Field(default=None, description="posterior standard deviation of θ")
    answered: Annotated[list[Id], Field(max_length=MAX_ITEMS), StopAtFirstError()] = Field(
        default_factory=list, description="not to be asked"
    )
    n: int = Field(default=5, ge=1, le=100, description="how many items, best first")

    model_config = with_examples({"item_params": _EXAMPLE_BANK, "theta": 0.3, "answered": ["101"], "n": 2})

    @model_validator(mode="after")
    def _items_once(self) -> Self:
        named_items(self.item_params or {})
        return self


class RankedItem(Reply):
    """An item and what it tells at θ."""

    item_id: str
    information: FiniteFloat


class NextItemsResponse(Reply):
    """Best first; fewer than asked for where fewer are left."""

    status: Literal["ok"] = "ok"
    theta: float
    items: list[RankedItem]
