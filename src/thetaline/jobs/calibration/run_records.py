"""Runs as rows of the ledger, for the commands that list and show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from thetaline import db
from thetaline.errors import InputError
from thetaline.jobs.calibration.gate import CHECKS
from thetaline.jobs.calibration.gate_values import CheckResult

SQL = db.sql("jobs/calibration/run_records.sql")
_PLACE = {check.__name__.removeprefix("check_"): place for place, check in enumerate(CHECKS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One row of the ledger; `model_spec` and `metrics` are None for a run without a stored calibration."""

    run_id: str
    job: str
    as_of: date
    state: str
    started_at: datetime
    finished_at: datetime | None
    reason: str | None
    error: str | None
    model_spec: Mapping[str, Any] | None
    metrics: Mapping[str, Any] | None


def list_runs(conn: psycopg.Connection[Any], *, job: str | None, most: int) -> list[RunRecord]:
    """The newest runs first."""
    with conn.cursor(row_factory=class_row(RunRecord)) as cursor:
        return cursor.execute(SQL["runs"], {"job": job, "most": most}).fetchall()


def load_run(conn: psycopg.Connection[Any], run_id: str) -> RunRecord:
    """One run. Raises InputError for an id that is not in the ledger."""
    with conn.cursor(row_factory=class_row(RunRecord)) as cursor:
        found = cursor.execute(SQL["run"], {"run_id": run_id}).fetchone()
    if found is None:
        raise InputError(f"no run {run_id!r}; `thetaline runs` lists them")
    return found


def load_checks(conn: psycopg.Connection[Any], run_id: str) -> list[CheckResult]:
    """The checks of a run in the order of the gate; empty for a run that was not checked."""
    checks = [CheckResult(*row) for row in conn.execute(SQL["checks"], {"run_id": run_id}).fetchall()]
    return sorted(checks, key=lambda check: (_PLACE.get(check.name, len(_PLACE)), check.name))
