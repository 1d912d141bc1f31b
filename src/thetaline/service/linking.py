"""POST /irt/link: two banks in, the transformation and the moved bank out."""

from pydantic_core import to_json

from thetaline import irt
from thetaline.api.base import named_items
from thetaline.api.linking import LinkRequest
from thetaline.service.http_errors import ApiError, method_failures_as_422
from thetaline.service.responses import finite_rows
from thetaline.service.scoring import bank_of


def link_json(request: LinkRequest) -> bytes:
    """The body of a 200. Raises a 422 where too few anchors are usable, run the other way, or carry no scale."""
    new, reference = bank_of(named_items(request.new)), bank_of(named_items(request.reference))
    with method_failures_as_422("the link"):
        found = irt.link(new=new, reference=reference, method=request.method, screen=request.screen)
    if not found.linked:
        raise ApiError(422, f"not linked: {found.reason}", dict(found.dropped))
    body = {
        "status": "ok",
        "A": found.A,
        "B": found.B,
        "method": found.method,
        "n_anchors_used": found.n_anchors_used,
        "rmsd": found.rmsd,
        "dropped": dict(found.dropped),
        "se": {"A": found.se.A, "B": found.se.B},
        "item_params": _params(found.items(new)),
    }
    return to_json(body, inf_nan_mode="null")


def _params(items: irt.Items) -> dict[str, dict[str, float]]:
    rows = finite_rows({"a": items.a, "b": items.b, "c": items.c, "d": items.d}, len(items))
    return dict(zip(map(str, items.ids), rows, strict=True))
