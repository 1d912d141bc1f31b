"""Bearer tokens: `tl_<id>_<secret>`; the secret has 256 random bits and is kept as its SHA-256 only."""

import asyncio
import hashlib
import hmac
import math
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import psycopg

from thetaline.db.tokens import StoredToken, active_tokens, any_token
from thetaline.errors import DatabaseError, InputError
from thetaline.service.database import Database

PREFIX = "tl"
REFRESH_SECS = 5.0  # how long a revoked token may go on working
MISS_REFRESH_SECS = 0.05  # how often an unknown id may make us look whether it is new
LOOK_SECS = 5.0  # how long a look may take
_NO_TOKEN = b"\x00" * 32


class Scope(StrEnum):
    """What a token may do."""

    CALIBRATE = "calibrate"
    SCORE = "score"
    READ_ALL = "read:all"
    READ_SELF = "read:self"


FULL = frozenset({Scope.CALIBRATE, Scope.SCORE, Scope.READ_ALL})
OF_ONE_LEARNER = frozenset({Scope.READ_SELF, Scope.SCORE})  # a job's result, for one, has every learner's ability


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks; `user_id` is the one learner that a read:self token may read."""

    token_id: str
    name: str
    scopes: frozenset[Scope]
    user_id: str | None = None

    def may(self, scope: Scope) -> bool:
        """Whether a token of this scope was shown."""
        return scope in self.scopes

    def is_for(self, user_id: str) -> bool:
        """Whether the token names this learner, or none."""
        return self.user_id in (None, user_id)

    def may_read(self, user_id: str) -> bool:
        """Whether this learner's data may be read."""
        return self.may(Scope.READ_ALL) or (self.may(Scope.READ_SELF) and self.user_id == user_id)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def new_token(
    name: str, scopes: Collection[Scope], *, user_id: str | None, expires_at: datetime | None
) -> tuple[str, StoredToken]:
    """The token to hand out, once, and the row to keep. Raises InputError for scopes that do not go together."""
    if not scopes:
        raise InputError(f"a token needs a scope: {', '.join(Scope)}")
    if (Scope.READ_SELF in scopes) != (user_id is not None):
        raise InputError("read:self goes with the learner it is for (--user), and only read:self does")
    if Scope.READ_SELF in scopes and not OF_ONE_LEARNER.issuperset(scopes):
        raise InputError("read:self goes with score only; read:all and calibrate show other learners")
    token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    row = StoredToken(token_id, name, _digest(secret), sorted(scopes), user_id, expires_at)
    return f"{PREFIX}_{token_id}_{secret}", row


class TokenCache:
    """The tokens in force: those of the database, seen at most 5 s ago, and R_IRT_INTERNAL_TOKEN with full scope."""

    def __init__(self, internal: str | None, *, now: Callable[[], datetime] = _utc_now) -> None:
        """`internal` is told at once, white space around it left out; the rest comes with `refresh`."""
        self._now = now
        self._internal: bytes | None = None
        if internal is not None:
            self.set_internal(internal)
        self._stored: dict[str, StoredToken] = {}
        self._made = False
        self._seen_at: float | None = None
        self._failed_at = -math.inf
        self._looking = asyncio.Lock()

    def set_internal(self, token: str) -> None:
        """The internal token from now on; the one before opens nothing any more."""
        self._internal = _digest(token.strip())

    def __len__(self) -> int:
        """How many there are."""
        return len(self._stored) + (self._internal is not None)

    @property
    def made(self) -> bool:
        """Whether a token was ever made: one that is revoked or has expired keeps the door shut too."""
        return self._made or self._internal is not None

    @property
    def loaded(self) -> bool:
        """Whether the database has ever answered."""
        return self._seen_at is not None

    async def refresh(self, database: Database) -> None:
        """Read the tokens in force, one reader at a time, so that an older answer never replaces a newer one."""
        async with self._looking:
            await self._read(database)

    async def look_for(self, bearer: str, database: Database) -> None:
        """Read once more for a token that is not known yet; those who wait meanwhile share the next look.

        They share a failure too: DatabaseError, at once, instead of a time-out each.
        """
        came_at = time.monotonic()
        async with self._looking:
            if self._failed_at >= came_at:
                raise DatabaseError("the tokens could not be read just now")
            if (self._seen_at is not None and self._seen_at >= came_at) or not self.is_unknown(bearer):
                return
            if self._seen_at is not None:
                await asyncio.sleep(max(0.0, MISS_REFRESH_SECS - (time.monotonic() - self._seen_at)))
            await self._read(database)

    async def _read(self, database: Database) -> None:
        asked_at = time.monotonic()
        try:
            tokens, self._made = await database.run_within(LOOK_SECS, _look)
        except Exception:
            self._failed_at = time.monotonic()
            raise
        self._stored = {token.token_id: token for token in tokens}
        self._seen_at = asked_at  # only now: a database that did not answer has not been seen

    def is_unknown(self, bearer: str) -> bool:
        """Whether a look into the database may know this token: it looks like one of ours, and its id is new to us."""
        return bearer.startswith(f"{PREFIX}_") and _parts(bearer)[0] not in self._stored

    def principal(self, bearer: str) -> Principal | None:
        """Who shows this token, None if it is not in force; takes as long for a wrong id as for a wrong secret."""
        if self._internal is not None and hmac.compare_digest(_digest(bearer), self._internal):
            return Principal("internal", "internal", FULL)
        token_id, secret = _parts(bearer)
        stored = self._stored.get(token_id)
        right = hmac.compare_digest(_digest(secret), stored.secret_sha256 if stored else _NO_TOKEN)
        if not right or stored is None or _is_over(stored, self._now()):
            return None
        return Principal(token_id, stored.name, frozenset(map(Scope, stored.scopes)), stored.user_id)


def _look(conn: psycopg.Connection[Any]) -> tuple[list[StoredToken], bool]:
    """The tokens in force, and whether one was ever made."""
    tokens = active_tokens(conn)
    return tokens, bool(tokens) or any_token(conn)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _parts(bearer: str) -> tuple[str, str]:
    _prefix, _, rest = bearer.partition("_")
    token_id, _, secret = rest.partition("_")
    return token_id, secret


def _is_over(token: StoredToken, now: datetime) -> bool:
    return token.expires_at is not None and token.expires_at <= now
