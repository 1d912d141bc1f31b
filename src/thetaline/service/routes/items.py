"""The item bank and its drift alerts, to read."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from thetaline.api import BankItem, BankPage, DriftAlerts, ItemHistory
from thetaline.db import queries
from thetaline.service.auth import ReadsAll
from thetaline.service.http_errors import ApiError
from thetaline.service.services import Shared

router = APIRouter(tags=["items"])
ItemId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
After = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$", description="the last id of the page before")]
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/items", response_model=BankPage)
async def items(services: Shared, _who: ReadsAll, after: After = "", limit: Limit = 100) -> dict[str, Any]:
    """The published bank, page by page."""
    rows = await services.database.run(queries.bank_page, after, limit + 1)
    page = rows[:limit]
    return {"items": page, "next_after": page[-1]["item_id"] if len(rows) > limit else None}


@router.get("/items/{item_id}", response_model=BankItem)
async def item(item_id: ItemId, services: Shared, _who: ReadsAll) -> dict[str, Any]:
    """One item with its current parameters."""
    found = await services.database.run(queries.bank_item, item_id)
    if found is None:
        raise ApiError(404, f"item {item_id!r} has no published parameters")
    return found


@router.get("/items/{item_id}/history", response_model=ItemHistory)
async def item_history(item_id: ItemId, services: Shared, _who: ReadsAll) -> dict[str, Any]:
    """The parameters by published run, newest first."""
    versions = await services.database.run(queries.item_history, item_id)
    code = await services.database.run(queries.item_code, item_id)
    return {"item_id": item_id, "code": code, "versions": versions}


@router.get("/drift-alerts", response_model=DriftAlerts)
async def drift_alerts(services: Shared, _who: ReadsAll) -> dict[str, Any]:
    """Items that moved against their reference and that nobody has resolved."""
    return {"alerts": await services.database.run(queries.drift_alerts)}
