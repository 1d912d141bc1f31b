"""Stored reports: a row only of what lies in the store, and what is given up deleted there, be it later."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import class_row

from thetaline import db
from thetaline.db.jsonb import to_json
from thetaline.errors import StorageError
from thetaline.jobs.reports.keys import About, learner_prefix
from thetaline.settings import Settings

if TYPE_CHECKING:
    from thetaline.jobs.reports.storage import ReportStore

Connection = psycopg.Connection[Any]
SQL = db.sql("jobs/reports/artifacts.sql")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A page that lies in the store, as its row will say."""

    about: About
    owner: str
    week_start: date
    format: str
    language: str
    store: str
    object_key: str
    content_hash: str
    sources: Sequence[str]
    generated_at: datetime

    @property
    def url(self) -> str:
        """Store and key."""
        return f"{self.store}/{self.object_key}"


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A row of `stored_report`."""

    about: str
    owner: str
    week_start: date
    format: str
    language: str | None
    url: str
    generated_at: datetime
    store: str
    object_key: str
    superseded_at: datetime | None


def unchanged(
    conn: Connection, about: About, week: date, store: str, owners: Sequence[str]
) -> dict[tuple[str, str], str]:
    """The content hash of what lies in this store and is in force, by owner and format."""
    values = {"about": about, "week": week, "store": store, "owners": list(owners)}
    return {(owner, format_): digest for owner, format_, digest in conn.execute(SQL["unchanged"], values)}


def record(conn: Connection, made: Sequence[Artifact]) -> None:
    """Write the rows of pages that are in the store by now, and commit; a row never points to nothing."""
    rows = to_json([{**asdict(one), "url": one.url} for one in made])
    conn.execute(SQL["record"], {"rows": rows})
    conn.execute(SQL["keep_objects"], {"rows": rows})
    conn.commit()


def supersede_late(conn: Connection, week: date, now: datetime) -> None:
    """Mark the week's pages whose runs were retracted while they were made."""
    conn.execute(SQL["supersede_late"], {"week": week, "now": now})


def stored_reports(
    conn: Connection,
    *,
    about: About | None = None,
    owner: str | None = None,
    week: date | None = None,
    format_: str | None = None,
    most: int | None = None,
) -> list[StoredReport]:
    """Newest week first, superseded ones too."""
    values = {"about": about, "owner": owner, "week": week, "format": format_, "most": most}
    with conn.cursor(row_factory=class_row(StoredReport)) as cursor:
        return cursor.execute(SQL["stored"], values).fetchall()


def give_up(
    conn: Connection, *, owner: str | None = None, before: date | None = None, reason: str, now: datetime, dry_run: bool
) -> int:
    """Take rows of a learner, or of weeks before a date, and ask for the deletion of their objects; how many."""
    values = {"owner": owner, "before": before, "reason": reason, "now": now}
    row = conn.execute(SQL["count_given_up" if dry_run else "give_up"], values).fetchone()
    return int(row[0]) if row else 0


def delete_waiting(conn: Connection, settings: Settings) -> tuple[int, list[str]]:
    """Delete the objects that were given up; how many, and what to say of each store that did not let them go."""
    done, faults = 0, list[str]()
    while waiting := _by_store(conn.execute(SQL["waiting_deletions"])):
        n_before = done
        faults = []
        for location, keys in waiting.items():
            gone, fault = _deleted(settings, location, keys)
            conn.execute(SQL["deleted"], {"store": location, "keys": gone})
            conn.commit()
            done += len(gone)
            faults += [fault] if fault else []
        if done == n_before or faults:
            break
    return done, faults


def delete_unnamed(store: "ReportStore", user_id: str) -> int:
    """Delete what lies there of a learner whose rows are gone, such as a run that was killed leaves; how many."""
    left = list(store.keys(learner_prefix(user_id)))
    for key in left:
        store.delete(key)
    return len(left)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A store beside its rows: keys of rows without an object, and of objects that no row names."""

    missing: Sequence[str]
    unnamed: Sequence[str]


def reconcile(conn: Connection, store: "ReportStore") -> Reconciled:
    """Compare the store with its rows, both ways; changes nothing."""
    rows = dict(conn.execute(SQL["keys_of_store"], {"store": store.location}).fetchall())
    there = set(store.keys())
    missing = sorted(key for key, superseded in rows.items() if not superseded and key not in there)
    return Reconciled(missing, sorted(there - rows.keys()))


def forget_missing(conn: Connection, store: "ReportStore", keys: Collection[str]) -> int:
    """Delete rows whose object is gone, so that the next run makes them again; how many."""
    return conn.execute(SQL["forget_missing"], {"store": store.location, "keys": list(keys)}).rowcount


def _deleted(settings: Settings, location: str, keys: Iterable[str]) -> tuple[list[str], str | None]:
    from thetaline.jobs.reports.storage import open_store  # noqa: PLC0415  (a library of the extra `reports`)

    gone: list[str] = []
    try:
        store = open_store(settings, location)
        for key in keys:
            store.delete(key)
            gone.append(key)
    except StorageError as error:
        return gone, str(error)
    return gone, None


def _by_store(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[str]]:
    found = defaultdict(list)
    for store, key in rows:
        found[store].append(key)
    return dict(found)
