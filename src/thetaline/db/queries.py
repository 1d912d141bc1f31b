"""What the service reads: rows as dictionaries, in the words of the payloads."""

from collections.abc import Sequence
from typing import Any

from psycopg.rows import dict_row

from thetaline.db.connection import Connection
from thetaline.db.statements import sql

SQL = sql("db/queries.sql")
MOST = 1_000  # rows of a history
Row = dict[str, Any]


def limit_statements(conn: Connection, secs: float) -> None:
    """End each statement of this transaction that takes longer."""
    conn.execute(SQL["limit_statements"], {"milliseconds": f"{secs * 1000:.0f}"})


def ability(conn: Connection, user_id: str) -> Row | None:
    """The current θ of a learner."""
    return _one(conn, "ability", user_id=user_id)


def topic_abilities(conn: Connection, user_id: str) -> list[Row]:
    """The current θ by topic."""
    return _all(conn, "topic_abilities", user_id=user_id)


def ability_history(conn: Connection, user_id: str, topic_id: str | None = None) -> list[Row]:
    """Published θ, newest first: general, or of one topic."""
    if topic_id is None:
        return _all(conn, "ability_history", user_id=user_id, most=MOST)
    return _all(conn, "topic_ability_history", user_id=user_id, topic_id=topic_id, most=MOST)


def kpis(conn: Connection, user_id: str, weeks: int) -> list[Row]:
    """The newest weeks."""
    return _all(conn, "kpis", user_id=user_id, weeks=weeks)


def bank_page(conn: Connection, after: str, most: int) -> list[Row]:
    """Items whose id comes after `after`, in the order of their ids."""
    return _all(conn, "bank_page", after=after, most=most)


def bank_item(conn: Connection, item_id: str) -> Row | None:
    """One item with its current parameters."""
    return _one(conn, "bank_item", item_id=item_id)


def bank(conn: Connection) -> list[Row]:
    """Every item with its current parameters."""
    return _all(conn, "bank")


def item_history(conn: Connection, item_id: str) -> list[Row]:
    """Published parameters, newest first."""
    return _all(conn, "item_history", item_id=item_id, most=MOST)


def item_codes(conn: Connection, item_ids: Sequence[str]) -> dict[str, str]:
    """The code that each item was imported under; its own id where it had no other."""
    return {row["item_id"]: row["code"] for row in _all(conn, "item_codes", item_ids=list(item_ids))}


def item_code(conn: Connection, item_id: str) -> str:
    """The code of one item; the id itself for one that nobody answered."""
    return item_codes(conn, [item_id]).get(item_id, item_id)


def answered_items(conn: Connection, user_id: str) -> list[str]:
    """What a learner has answered already."""
    return [row["item_id"] for row in _all(conn, "answered_items", user_id=user_id)]


def runs(conn: Connection, most: int, job: str | None = None) -> list[Row]:
    """The newest runs, of one job or of all."""
    return _all(conn, "runs", most=most, job=job, run_id=None)


def run(conn: Connection, run_id: str) -> Row | None:
    """One run with its gate."""
    found = _one(conn, "runs", most=1, job=None, run_id=run_id)
    return None if found is None else {**found, "gate": _all(conn, "gate", run_id=run_id)}


def drift_alerts(conn: Connection) -> list[Row]:
    """Alerts that nobody has resolved, newest first."""
    return _all(conn, "drift_alerts", most=MOST)


def newest_published_run(conn: Connection) -> str | None:
    """The calibration that is current."""
    found = _one(conn, "newest_published_run")
    return None if found is None else str(found["run_id"])


def gate_counts(conn: Connection) -> dict[str, int]:
    """`check/passed` and `check/failed` over the last 30 days."""
    return {row["outcome"]: row["count"] for row in _all(conn, "gate_counts")}


def _one(conn: Connection, statement: str, **values: object) -> Row | None:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(SQL[statement], values).fetchone()


def _all(conn: Connection, statement: str, **values: object) -> list[Row]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(SQL[statement], values).fetchall()
