"""The current θ of all learners as CSV."""

from typing import TextIO

from thetaline import db
from thetaline.db.connection import Connection

SQL = db.sql("jobs/abilities/export.sql")


def export_abilities(conn: Connection, file: TextIO, *, by_topic: bool = False) -> int:
    """Write a header and a line a learner (and topic); returns how many there are."""
    statement = f"copy ({SQL['current_by_topic' if by_topic else 'current']}) to stdout (format csv, header)"
    n_lines = 0
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            text = bytes(block).decode()
            n_lines += text.count("\n")
            file.write(text)
    return n_lines - 1
