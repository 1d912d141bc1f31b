"""Bearer tokens at rest: an id, the SHA-256 of the secret, scopes."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from thetaline.db.connection import Connection
from thetaline.db.statements import sql

SQL = sql("db/tokens.sql")


@dataclass(frozen=True, slots=True)
class StoredToken:
    """One row of `api_token`."""

    token_id: str
    name: str
    secret_sha256: bytes
    scopes: list[str]
    user_id: str | None = None
    expires_at: datetime | None = None
    created_at: datetime | None = None
    revoked_at: datetime | None = None


def create_token(conn: Connection, token: StoredToken) -> None:
    """Insert it. Raises psycopg's CheckViolation for scopes that do not go together."""
    conn.execute(
        SQL["create"],
        {
            "token_id": token.token_id,
            "name": token.name,
            "secret_sha256": token.secret_sha256,
            "scopes": token.scopes,
            "user_id": token.user_id,
            "expires_at": token.expires_at,
        },
    )


def active_tokens(conn: Connection) -> list[StoredToken]:
    """Neither revoked nor expired."""
    return _rows(conn, "active")


def any_token(conn: Connection) -> bool:
    """Whether there is one at all, be it revoked or expired."""
    found = conn.execute(SQL["any"]).fetchone()
    return found is not None and bool(found[0])


def all_tokens(conn: Connection) -> list[StoredToken]:
    """Oldest first, revoked ones included."""
    return _rows(conn, "all")


def revoke_token(conn: Connection, token_id: str) -> bool:
    """Whether there was such a token to revoke."""
    return conn.execute(SQL["revoke"], {"token_id": token_id}).fetchone() is not None


def _rows(conn: Connection, statement: str) -> list[StoredToken]:
    with conn.cursor(row_factory=class_row(StoredToken)) as cursor:
        return cursor.execute(SQL[statement]).fetchall()
