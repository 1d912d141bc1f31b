"""Errors as HTTP tells them: one value for every answer that is no success, and which exception is which."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import psycopg
from psycopg_pool import PoolTimeout, TooManyRequests
from pydantic import ValidationError

from thetaline import logs
from thetaline.db.sessions import SessionConflictError, UnknownSessionError
from thetaline.errors import CalibrationError, DatabaseError, InputError, JobError, MigrationError

SHOWN_ERRORS = 20  # of a 422: enough to mend a body by, bounded whatever the body
SHOWN_CHARS = 300
MANY_ERRORS = 1_000  # of a body; to list them, pydantic would make 2 kB of each
MESSAGE_CHARS = 2_000
TOO_MANY = 429
# What says that the database is away, as opposed to what it says of a statement.
DB_UNAVAILABLE = (DatabaseError, psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, TooManyRequests)
# Of these, what one request's rows can bring about while the database itself is there.
TOOK_TOO_LONG = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable, psycopg.errors.TransactionRollback)
# What numbers that nobody can estimate from come to, however deep below.
METHOD_FAILURES = (CalibrationError, np.linalg.LinAlgError, ArithmeticError)
_LOOK_AT = "look for anchors or items that are all alike, have a slope near 0, or lie far off the scale"
log = logs.get_logger(__name__)


class ApiError(Exception):
    """What a client is told; raise it from anywhere below a route."""

    def __init__(
        self, status: int, error: str, detail: object = None, *, headers: Mapping[str, str] | None = None
    ) -> None:
        """`error` is for people, `detail` for programs too."""
        super().__init__(error)
        self.status, self.error, self.detail = status, error, detail
        self.headers = dict(headers or {})

    def body(self, request_id: str | None = None) -> dict[str, object]:
        """The contract's error body."""
        return {"error": self.error, "detail": self.detail, "request_id": request_id}


def busy(error: str, *, retry_after_secs: int) -> ApiError:
    """429 with Retry-After."""
    return ApiError(TOO_MANY, error, headers={"retry-after": str(max(1, retry_after_secs))})


def unavailable(error: str, *, retry_after_secs: int = 5) -> ApiError:
    """503 with Retry-After."""
    return ApiError(503, error, headers={"retry-after": str(retry_after_secs)})


def api_error_of(error: BaseException) -> ApiError | None:
    """What a client is told of an exception of ours or of a library; None for one that is a defect of ours."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ValidationError):
        return validation_error(error)
    return next((told(error) for kinds, told in _TOLD if isinstance(error, kinds)), None)


def validation_error(error: ValidationError) -> ApiError:
    """400 for what is no JSON, 422 for JSON that breaks the schema; values of the body are not repeated at length."""
    if error.error_count() > MANY_ERRORS:  # lists and objects stop at their first error, unknown fields do not
        told = f"{error.error_count()} faults, most of them fields that have no meaning here"
        return ApiError(422, "the body is not valid", [{"loc": [], "msg": told, "type": "too_many_faults"}])
    shown = [
        {"loc": [_short(part) for part in one["loc"]], "msg": one["msg"][:SHOWN_CHARS], "type": one["type"]}
        for one in error.errors(include_url=False, include_context=False, include_input=False)[:SHOWN_ERRORS]
    ]
    if shown and shown[0]["type"] == "json_invalid":
        return ApiError(400, "the body is not JSON", shown)
    return ApiError(422, f"the body is not valid{_more(error, len(shown))}", shown)


def _more(error: ValidationError, shown: int) -> str:
    if error.error_count() > shown:
        return f"; {error.error_count() - shown} further faults"
    places = [one["loc"] for one in error.errors(include_url=False, include_input=False)]
    in_an_entry = any(len(place) > 2 or any(isinstance(part, int) for part in place) for place in places)
    return "; lists are read to their first fault, further faults may follow" if in_an_entry else ""


def _short(part: int | str) -> int | str:
    """A part of a place; an unknown field is named by the body, at any length."""
    return part[:SHOWN_CHARS] if isinstance(part, str) else part


@contextmanager
def method_failures_as_422(what: str) -> Iterator[None]:
    """Around a method on a request's numbers: where it divides by zero or solves what is singular, they are a 422."""
    try:
        with np.errstate(all="ignore"):  # what overflows ends as a scale or a likelihood that is refused for what it is
            yield
    except METHOD_FAILURES as error:
        log.warning("a method broke down on a request's numbers", what=what, exc_info=error)
        raise ApiError(422, f"{what} broke down on these numbers: {str(error)[:SHOWN_CHARS]}", _LOOK_AT) from None


def _with_status(status: int) -> Callable[[BaseException], ApiError]:
    return lambda error: ApiError(status, str(error)[:MESSAGE_CHARS])


def _out_of_memory(_error: BaseException) -> ApiError:
    detail = "send fewer answers, or as Parquet"
    return ApiError(413, "the request needs more memory than a fit process may have", detail)


def _not_migrated(_error: BaseException) -> ApiError:
    return unavailable("the database schema is not that of this version; run `thetaline db migrate`")


def _too_long(_error: BaseException) -> ApiError:
    return unavailable("the database took too long over this request; try again", retry_after_secs=1)


def _db_unavailable(_error: BaseException) -> ApiError:
    return unavailable("the database is not available")


_TOLD: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Callable[[BaseException], ApiError]], ...] = (
    (UnknownSessionError, _with_status(404)),
    ((SessionConflictError, JobError), _with_status(409)),
    (InputError, _with_status(422)),
    (MemoryError, _out_of_memory),
    ((MigrationError, psycopg.errors.UndefinedTable), _not_migrated),
    (TOOK_TOO_LONG, _too_long),
    (DB_UNAVAILABLE, _db_unavailable),
)
