"""The demo's last lines: one learner's report and one class page to open."""

from typing import Any

import psycopg

from thetaline import db

_SQL = db.sql("jobs/demo/demo.sql")


def pages_text(conn: psycopg.Connection[Any]) -> str:
    """Where the two pages lie; empty where none were made."""
    rows = conn.execute(_SQL["example_reports"]).fetchall()
    conn.rollback()
    if not rows:
        return ""
    lines = [f"  {about:<8} {owner:<8} {_place(store, key)}" for about, owner, store, key in rows]
    return "\n".join(["Weekly reports are made. Open these two in a browser:", "", *lines, ""])


def _place(store: str, key: str) -> str:
    """A file where it is one; a link to a bucket is made on request."""
    return f"{store.removeprefix('file://')}/{key}" if store.startswith("file://") else f"{store}/{key}"
