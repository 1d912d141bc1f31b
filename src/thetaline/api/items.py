"""The item bank and the alerts about it."""

from datetime import datetime
from typing import Any

from pydantic import Field

from thetaline.api.base import Reply


class ItemVersion(Reply):
    """Parameters of one published run; `params` has a, b, as the model has them c and d, and `se`."""

    model: str
    params: dict[str, Any]
    version: int | None = None
    run_id: str
    fitted_at: datetime


class BankItem(ItemVersion):
    """An item with its current parameters."""

    item_id: str
    code: str | None = None  # that it was imported under
    topic_id: str | None = None
    tags: list[str] = Field(default_factory=list)


class BankPage(Reply):
    """Items in the order of their ids; `next_after` is the `after` of the next page, null on the last."""

    items: list[BankItem]
    next_after: str | None


class ItemHistory(Reply):
    """Parameters by published run, newest first."""

    item_id: str
    code: str | None = None
    versions: list[ItemVersion]


class DriftAlert(Reply):
    """An item whose parameters moved against its reference."""

    run_id: str
    item_id: str
    code: str | None = None
    is_anchor: bool
    severity: str
    statistics: dict[str, Any]
    proposal: str | None
    created_at: datetime


class DriftAlerts(Reply):
    """Newest first."""

    alerts: list[DriftAlert]
