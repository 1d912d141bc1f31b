"""Every fault of a request as one value: what an answer that is no success has to say."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import psycopg
from psycopg_pool import PoolTimeout, TooManyRequests
from pydantic import ValidationError

from thetaline import logs
from thetaline.db.sessions import SessionConflictError, UnknownSessionError
from thetaline.errors import CalibrationError, DatabaseError, InputError, JobError, MigrationError

SHOWN_FAULTS = 20  # of a 422: enough to mend a body by, bounded whatever the body
SHOWN_CHARS = 300
MANY_FAULTS = 1_000  # of a body; to list them, pydantic would make 2 kB of each
TOO_MANY = 429
# What says that the database is away, as opposed to what it says of a statement.
AWAY = (DatabaseError, psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, TooManyRequests)


# What numbers that nobody can estimate from come to, however deep below.
BROKE_DOWN = (CalibrationError, np.linalg.LinAlgError, ArithmeticError)
_LOOK_AT = "look for anchors or items that are all alike, have a slope near 0, or lie far off the scale"
log = logs.get_logger(__name__)


# Of these, what one request's rows can bring about while the database itself is there.
TOOK_TOO_LONG = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable, psycopg.errors.TransactionRollback)


class Fault(Exception):  # noqa: N818  it is a value first: what the client is told
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


def busy(error: str, *, retry_after_secs: int) -> Fault:
    """429 with Retry-After."""
    return Fault(TOO_MANY, error, headers={"retry-after": str(max(1, retry_after_secs))})


def unavailable(error: str, *, retry_after_secs: int = 5) -> Fault:
    """503 with Retry-After."""
    return Fault(503, error, headers={"retry-after": str(retry_after_secs)})


def fault_of(error: BaseException) -> Fault | None:
    """The fault behind an exception of ours or of a library; None for one that is a defect of ours."""
    for kinds, answer in _ANSWERS:
        if isinstance(error, kinds):
            return answer(error)
    return None


def not_valid(error: ValidationError) -> Fault:
    """400 for what is no JSON, 422 for JSON that breaks the schema; values of the body are not repeated at length."""
    if error.error_count() > MANY_FAULTS:  # lists and objects stop at their first fault, unknown fields do not
        words = f"{error.error_count()} faults, most of them fields that have no meaning here"
        return Fault(422, "the body is not valid", [{"loc": [], "msg": words, "type": "too_many_faults"}])
    faults = [
        {"loc": [_short(part) for part in one["loc"]], "msg": one["msg"][:SHOWN_CHARS], "type": one["type"]}
        for one in error.errors(include_url=False, include_context=False, include_input=False)[:SHOWN_FAULTS]
    ]
    if faults and faults[0]["type"] == "json_invalid":
        return Fault(400, "the body is not JSON", faults)
    return Fault(422, f"the body is not valid{_more(error, len(faults))}", faults)


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
def breaking_down(what: str) -> Iterator[None]:
    """Around a method on a request's numbers: where it divides by zero or solves what is singular, they are a 422."""
    try:
        with np.errstate(all="ignore"):  # what overflows ends as a scale or a likelihood that is refused for what it is
            yield
    except BROKE_DOWN as error:
        log.warning("a method broke down on a request's numbers", what=what, exc_info=error)
        raise Fault(422, f"{what} broke down on these numbers: {str(error)[:SHOWN_CHARS]}", _LOOK_AT) from None


def _same(error: BaseException) -> Fault:
    assert isinstance(error, Fault)  # noqa: S101  for the type checker
    return error


def _invalid(error: BaseException) -> Fault:
    assert isinstance(error, ValidationError)  # noqa: S101  for the type checker
    return not_valid(error)


def _input(error: BaseException) -> Fault:
    return Fault(422, str(error)[:2000])


def _conflict(error: BaseException) -> Fault:
    return Fault(409, str(error)[:2000])


def _absent(error: BaseException) -> Fault:
    return Fault(404, str(error)[:2000])


def _memory(_error: BaseException) -> Fault:
    return Fault(413, "the request needs more memory than a fit process may have", "send fewer answers, or as Parquet")


def _migration(_error: BaseException) -> Fault:
    return unavailable("the database schema is not that of this version; run `thetaline db migrate`")


def _too_long(_error: BaseException) -> Fault:
    return unavailable("the database took too long over this request; try again", retry_after_secs=1)


def _database(_error: BaseException) -> Fault:
    return unavailable("the database is not available")


_ANSWERS = (
    (Fault, _same),
    (ValidationError, _invalid),
    (UnknownSessionError, _absent),
    ((SessionConflictError, JobError), _conflict),
    (InputError, _input),
    (MemoryError, _memory),
    ((MigrationError, psycopg.errors.UndefinedTable), _migration),
    (TOOK_TOO_LONG, _too_long),
    (AWAY, _database),
)
