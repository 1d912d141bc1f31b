"""POST /irt/link: the transformation that puts one calibration on the scale of another."""

from typing import Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from thetaline.api.base import ItemList, ItemMap, Payload, Reply, named_items, with_examples

LinkMethod = Literal["mean-mean", "mean-sigma", "haebara", "stocking-lord"]
MIN_ANCHORS = 3


class LinkRequest(Payload):
    """Two banks; the items that both name are the anchors."""

    new: ItemList | ItemMap = Field(description="the calibration to be transformed")
    reference: ItemList | ItemMap = Field(description="the bank whose scale is the target")
    method: LinkMethod = "stocking-lord"
    screen: bool = Field(default=True, description="drop drifted anchors by robust z on b and log a, then link again")

    model_config = with_examples(
        {
            "new": {name: {"a": a, "b": b} for name, a, b in (("1", 1.0, -1), ("2", 1.2, 0), ("3", 0.9, 1))},
            "reference": {
                name: {"a": a, "b": b} for name, a, b in (("1", 0.9, -0.9), ("2", 1.1, 0.2), ("3", 0.8, 1.3))
            },
            "screen": False,
        }
    )

    @model_validator(mode="after")
    def _enough_anchors(self) -> Self:
        shared = named_items(self.new).keys() & named_items(self.reference).keys()
        if len(shared) < MIN_ANCHORS:
            raise ValueError(f"new and reference share {len(shared)} items; linking needs at least {MIN_ANCHORS}")
        return self


class LinkResponse(Reply):
    """θ' = Aθ + B, b' = A·b + B, a' = a / A, c' = c; `se` of A and B."""

    status: Literal["ok"] = "ok"
    A: FiniteFloat = Field(gt=0)
    B: FiniteFloat
    method: str
    n_anchors_used: int
    rmsd: float | None
    dropped: dict[str, str] = Field(description="anchors left out, with the reason")
    se: dict[str, float | None]
    item_params: dict[str, dict[str, float]] = Field(description="`new` on the scale of `reference`")
