"""The reading API of one learner, and what a finished session does."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Query, Request

from thetaline.api import (
    KpiHistory,
    LearnerTheta,
    NextItemsRequest,
    NextItemsResponse,
    RecomputeRequest,
    ThetaHistory,
    ThetaUpdated,
    ThetaUpdateRequest,
    WeekRecomputed,
)
from thetaline.db import queries
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.service import selection
from thetaline.service.auth import Learner, ScoredLearner
from thetaline.service.http_errors import ApiError
from thetaline.service.openapi import request_body
from thetaline.service.recompute import recompute_week
from thetaline.service.request_body import read_small
from thetaline.service.services import Shared

Row = dict[str, Any]  # which the `response_model` checks: one that does not fit is a defect of ours, never a 422
router = APIRouter(prefix="/learners/{user_id}", tags=["learners"])
TopicId = Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Weeks = Annotated[int, Query(ge=1, le=520)]
HowMany = Annotated[int, Query(ge=1, le=100)]


@router.get("/theta", response_model=LearnerTheta)
async def theta(learner: Learner, services: Shared) -> Row:
    """The latest θ, general and per topic."""

    def read(conn: psycopg.Connection[Any]) -> Row:
        general = queries.ability(conn, learner)
        if general is None:
            raise _no_theta(learner)
        return {"user_id": learner, "general": general, "topics": queries.topic_abilities(conn, learner)}

    return await services.database.run(read)


@router.get("/theta/history", response_model=ThetaHistory)
async def theta_history(learner: Learner, services: Shared, topic_id: TopicId = None) -> Row:
    """Every published θ, newest first."""
    points = await services.database.run(queries.ability_history, learner, topic_id)
    return {"user_id": learner, "topic_id": topic_id, "points": points}


@router.post("/theta", openapi_extra=request_body(ThetaUpdateRequest))
async def update_theta(request: Request, learner: ScoredLearner, services: Shared) -> ThetaUpdated:
    """Carry θ over a session that has ended; the same session again changes nothing."""
    return await services.updates.update(learner, await read_small(request, ThetaUpdateRequest))


@router.get("/kpis", response_model=KpiHistory)
async def kpis(learner: Learner, services: Shared, weeks: Weeks = 12) -> Row:
    """The weekly KPIs, newest week first."""
    rows = await services.database.run(queries.kpis, learner, weeks)
    return {"user_id": learner, "weeks": rows}


@router.post("/kpis", openapi_extra=request_body(RecomputeRequest), response_model=WeekRecomputed)
async def recompute(request: Request, learner: ScoredLearner, services: Shared) -> Row:
    """Compute the indicators of a week again, as of its last day that is over."""
    payload = await read_small(request, RecomputeRequest)
    now = datetime.now(UTC)
    last = SchoolCalendar(services.settings.time_zone).last_day_over(now)
    if payload.week_start > last:
        raise ApiError(422, f"no day of the week of {payload.week_start} is over; the last day that is over is {last}")
    week = await services.database.run(
        recompute_week,
        learner,
        payload.week_start,
        as_of=min(payload.week_start + timedelta(days=6), last),
        now=now,
        settings=services.settings,
    )
    return {"user_id": learner, "week": week}


@router.get("/next-items")
async def learner_next_items(learner: Learner, services: Shared, n: HowMany = 5) -> NextItemsResponse:
    """What of the published bank tells most about this learner, answered items left out."""
    bank = await services.bank.items()
    found = await services.database.run(_standing, learner)
    request = NextItemsRequest.model_construct(**found, n=n)
    return selection.next_items(bank, request)


def _standing(conn: psycopg.Connection[Any], learner: str) -> Row:
    general = queries.ability(conn, learner)
    if general is None:
        raise _no_theta(learner)
    return {"theta": general["theta"], "se": general["se"], "answered": queries.answered_items(conn, learner)}


def _no_theta(learner: str) -> ApiError:
    return ApiError(404, f"learner {learner!r} has no published θ")
