"""What the newest run of a weekly model says, in rows for people and for files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class RunRows:
    """Rows by column; `as_of` is the last day of the week that they were made for."""

    run_id: str
    as_of: date
    rows: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class NewestRows:
    """Statements `newest_run` (run_id, as_of), `newest_reason`, and `rows`, whose columns are these."""

    sql: Mapping[str, Any]
    columns: tuple[str, ...]
    rows: str = "rows"

    def newest(self, conn: Connection, as_of: date, **parameters: object) -> RunRows | None:
        """Of the newest run up to a day; None where there is none. `parameters` are those of `rows` beside `run_id`."""
        run = conn.execute(self.sql["newest_run"], {"as_of": as_of, **parameters}).fetchone()
        if run is None:
            return None
        found = conn.execute(self.sql[self.rows], {"run_id": run[0], **parameters}).fetchall()
        return RunRows(run[0], run[1], [dict(zip(self.columns, row, strict=True)) for row in found])

    def reason_of_none(self, conn: Connection, as_of: date, **parameters: object) -> str | None:
        """Why the newest fit up to a day gave nothing."""
        row = conn.execute(self.sql["newest_reason"], {"as_of": as_of, **parameters}).fetchone()
        return None if row is None else str(row[0])
