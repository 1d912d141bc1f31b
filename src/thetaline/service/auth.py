"""Who may do what: dependencies that a route names in its signature."""

from typing import Annotated, Any

from fastapi import Depends, Path, Request

from thetaline.api.base import MAX_ID_CHARS
from thetaline.service.http_errors import DB_UNAVAILABLE, ApiError, unavailable
from thetaline.service.services import Services, Shared
from thetaline.service.tokens import FULL, Principal, Scope

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
ANONYMOUS = Principal("anonymous", "anonymous", FULL)
UNCHECKED = "tokens cannot be checked: the database is not available"
NOT_THIS_LEARNER = "this token is another learner's"

UserId = Annotated[str, Path(min_length=1, max_length=MAX_ID_CHARS, pattern=r"^[^\x00]+$", description="learner id")]


async def identify(request: Request, services: Shared) -> Principal:
    """Who shows which token; counts against that token's rate. Raises 401, 429, 503."""
    token = _token_of(request)
    who = await _principal(services, token) if token is not None else _local(services, request)
    request.state.token = who.name
    services.rates.take(who.token_id)
    return who


def needs(scope: Scope) -> Any:
    """The dependency of a route that asks for one scope."""

    async def check(who: Annotated[Principal, Depends(identify)]) -> Principal:
        if not who.may(scope):
            raise _forbidden(scope)
        return who

    return Depends(check)


async def reads_learner(user_id: UserId, who: Annotated[Principal, Depends(identify)]) -> str:
    """The learner in the path, if the token may read it."""
    if not who.may_read(user_id):
        raise ApiError(403, "this token may not read this learner")
    return user_id


Known = Annotated[Principal, Depends(identify)]
Calibrates = Annotated[Principal, needs(Scope.CALIBRATE)]
Scores = Annotated[Principal, needs(Scope.SCORE)]


async def scores_learner(user_id: UserId, who: Scores) -> str:
    """The learner in the path, if the token scores and does not belong to another one."""
    if not who.is_for(user_id):
        raise ApiError(403, NOT_THIS_LEARNER)
    return user_id


Learner = Annotated[str, Depends(reads_learner)]
ScoredLearner = Annotated[str, Depends(scores_learner)]
ReadsAll = Annotated[Principal, needs(Scope.READ_ALL)]


def _token_of(request: Request) -> str | None:
    kind, _, credentials = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and credentials:
        return credentials.strip()
    return request.headers.get("x-internal-token")


def _local(services: Services, request: Request) -> Principal:
    """A caller without a token, where the service listens on this machine only and no token was ever made.

    A page in a browser that had its own name resolve to this machine would send that name as its Host.
    """
    if not services.anonymous or request.url.hostname not in LOCAL_NAMES or services.tokens.made:
        raise _unauthorized("no token; send Authorization: Bearer <token>")
    if not services.tokens.loaded:
        raise unavailable(UNCHECKED)
    return ANONYMOUS


async def _principal(services: Services, token: str) -> Principal:
    if services.tokens.is_unknown(token):
        await _look_for(services, token)
    who = services.tokens.principal(token)
    if who is None:
        raise _unauthorized("the token is not in force")
    return who


async def _look_for(services: Services, token: str) -> None:
    try:
        await services.tokens.look_for(token, services.database)
    except DB_UNAVAILABLE:
        raise unavailable(UNCHECKED) from None


def _unauthorized(error: str) -> ApiError:
    return ApiError(401, error, headers={"www-authenticate": "Bearer"})


def _forbidden(scope: Scope) -> ApiError:
    return ApiError(403, f"this token lacks the scope {scope}")
