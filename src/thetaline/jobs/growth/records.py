"""What the two growth jobs share: lines by run, keys of the week's KPIs, a run without fit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetaline import db
from thetaline.db.bulk import copy_rows
from thetaline.db.jsonb import to_json
from thetaline.jobs.arrays import Array, Int32s
from thetaline.jobs.kpis.key_registry import declare_writer
from thetaline.jobs.runner import JobContext
from thetaline.learning.windows import last_week_end, monday

SQL = db.sql("jobs/growth/records.sql")
NOT_FITTED = "not fitted"


@dataclass(frozen=True, slots=True, eq=False)
class LineRows:
    """N learners: level now and slope a week with their errors; NaN and NaT where unknown."""

    learner_no: Int32s
    level: Array
    level_se: Array
    slope: Array
    slope_se: Array
    n_weeks: Int32s
    correlation: Array | None = None
    bend_week: NDArray[np.datetime64] | None = None

    def where(self, mask: NDArray[np.bool_]) -> "LineRows":
        """Those of learners under an (N,) mask."""
        given: dict[str, Any] = {name: getattr(self, name) for name in _COLUMNS}
        return replace(self, **{name: column[mask] for name, column in given.items() if column is not None})


_COLUMNS = tuple(LineRows.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRecord:
    """What a run leaves: its row of the meta table, its lines, the KPIs of learners; without lines nothing changes."""

    meta: Mapping[str, object]
    status: str
    reason: str | None
    summary: Mapping[str, object] = field(default_factory=dict)
    lines: LineRows | None = None
    kpis: Sequence[str] | None = None  # JSON texts (N,), in the order of the lines

    @property
    def is_published(self) -> bool:
        """Whether there are lines to publish."""
        return self.lines is not None


def write_record(context: JobContext, run_id: str, record: FitRecord, *, statement: str, update_kpis: bool) -> None:
    """The meta row, the lines and the week's KPI keys, in the caller's transaction."""
    values = {name: value if isinstance(value, str) else to_json(value) for name, value in record.meta.items()}
    shared = {"run_id": run_id, "fitted_at": context.now, "status": record.status, "reason": record.reason}
    context.conn.execute(SQL[statement], {**values, **shared})
    if record.lines is not None:
        _write_lines(context, run_id, record.lines)
        if update_kpis and record.kpis is not None:
            _merge_kpis(context, record.lines.learner_no, record.kpis)


def _write_lines(context: JobContext, run_id: str, lines: LineRows) -> None:
    given = {name: getattr(lines, name) for name in _COLUMNS}
    columns = {name: column for name, column in given.items() if column is not None}
    copy_rows(context.conn, "growth_line", ["run_id", *columns], [run_id, *columns.values()])


def _merge_kpis(context: JobContext, learner_no: Int32s, texts: Sequence[str]) -> None:
    conn = context.conn
    week = {"week_start": monday(last_week_end(context.as_of)), "now": context.now, "job": context.name}
    declare_writer(conn, context.name)
    conn.execute(SQL["create_growth_kpis"])
    copy_rows(conn, "fresh_growth_kpi", ["learner_no", "kpis"], [learner_no, np.array(texts, object)])
    conn.execute(SQL["merge_growth_kpis"], week)
    conn.execute(SQL["remove_growth_kpis"], week)
    conn.execute(SQL["drop_growth_kpis"])


def kpi_texts(columns: Mapping[str, NDArray[Any]], **shared: object) -> list[str]:
    """(N,) objects of what is known: NaN, None and "" have no key."""
    lists = [column.tolist() for column in columns.values()]
    return [json.dumps({**_known(columns, row), **shared}) for row in zip(*lists, strict=True)]


def _known(names: Mapping[str, object], row: tuple[object, ...]) -> dict[str, object]:
    return {name: value for name, value in zip(names, row, strict=True) if value not in (None, "") and value == value}  # noqa: PLR0124 - NaN is not itself


def week_of(context: JobContext) -> date:
    """The Monday of the last week that is over."""
    return monday(last_week_end(context.as_of))
