"""Connections to PostgreSQL, and its refusals in words that say what to do."""

import re
import time
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from thetaline.errors import DatabaseError, MigrationError
from thetaline.masking import MASK, mask_text, mask_url, password_in

Connection = psycopg.Connection[Any]

# Seconds: a job whose host vanished loses its connection, and with it the job's lock, within two minutes.
KEEPALIVE = {"connect_timeout": 10, "keepalives_idle": 60, "keepalives_interval": 15, "keepalives_count": 4}
RESTART_WAITS = (0.2, 0.4, 0.8, 1.6)  # seconds; a crash recovery of a small database takes about one


def connect(url: str, *, name: str = "thetaline", autocommit: bool = False) -> Connection:
    """Open a connection whose session speaks UTC; waits out a server that is starting up or recovering.

    Raises `DatabaseError`, never with the password in it: unreachable, refused, no such database.
    """
    for wait in (*RESTART_WAITS, None):
        try:
            return _open(url, name, autocommit)
        except psycopg.Error as error:
            if wait is None or not _is_starting(error):
                raise explained(error, url) from None
            time.sleep(wait)
    raise AssertionError  # the last wait is None


def explained(error: psycopg.Error, url: str) -> DatabaseError:
    """The library's error as ours: what happened where, and what to do about it."""
    kind: type[DatabaseError] = MigrationError if isinstance(error, errors.UndefinedTable) else DatabaseError
    text = re.sub(r"\s+", " ", str(error)).strip()
    return kind(f"{mask_url(url)}: {_without_password(text, url)}; {_advice(error, text)}")


def _open(url: str, name: str, autocommit: bool) -> Connection:
    given = conninfo_to_dict(url)
    asked = {**KEEPALIVE, **given, "application_name": name[:63]}
    asked["options"] = f"{given.get('options', '')} -c timezone=UTC -c datestyle=ISO"
    return psycopg.connect(make_conninfo("", **asked), autocommit=autocommit)


def _is_starting(error: psycopg.Error) -> bool:
    return isinstance(error, errors.CannotConnectNow) or "the database system is" in str(error)


def _advice(error: psycopg.Error, text: str) -> str:
    if isinstance(error, errors.UndefinedTable):
        return "the schema is missing or old: run `thetaline db migrate`"
    if isinstance(error, errors.InsufficientPrivilege):
        return "the role lacks a grant: see docs/decisions/0403-roles.md"
    return next((advice for pattern, advice in _ADVICE.items() if re.search(pattern, text)), "see the server's log")


_ADVICE: Mapping[str, str] = {
    r"password|authentication|role .* does not exist": "check the user and the password in DATABASE_URL",
    r"database .* does not exist": "create it (`createdb`), then run `thetaline db migrate`",
    r"could not translate|resolve host|Name or service|nodename": "check the host name in DATABASE_URL",
    r"refused|No such file|timeout|timed out|unreachable|No route": "check that the server runs, and DATABASE_URL",
    r"too many (clients|connections)|remaining connection slots": "close other connections or raise max_connections",
    r"No space left|disk full": "free disk space on the server; nothing of this transaction was kept",
    r"missing \"=\"|invalid (connection option|port|percent|integer)|in URI|unexpected spaces": "write DATABASE_URL as postgresql://user:password@host:5432/name",
    r"closed|terminat|crash|lost": "the server went away; nothing of this transaction was kept, run the command again",
}


def _without_password(text: str, url: str) -> str:
    """A URL that is not well formed is quoted by the library in pieces, of which one may be of the password."""
    written = password_in(url) or ""
    try:
        password = conninfo_to_dict(url).get("password")
    except psycopg.ProgrammingError:
        password = None
    for secret in filter(None, (written, password)):
        text = text.replace(str(secret), MASK)
    return mask_text(re.sub(r"\"([^\"]+)\"", lambda piece: f'"{MASK}"' if piece[1] in written else piece[0], text))
