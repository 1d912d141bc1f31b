"""Store a calibration with its verdict in one transaction, and move runs between held, published and retracted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import psycopg
from numpy.typing import ArrayLike, NDArray

from thetaline import db
from thetaline.db.bulk import copy_rows
from thetaline.db.jsonb import to_json
from thetaline.db.ledger import RunState, close_run
from thetaline.errors import InputError
from thetaline.jobs.arrays import Array, Int32s, Ints
from thetaline.jobs.calibration.engine import AbilityEstimates, ItemEstimates
from thetaline.jobs.calibration.gate_values import CheckResult, PublishedParameters
from thetaline.jobs.calibration.published_comparison import PublishedAbilities

JOB = "mirt_calibrate"
SQL = db.sql("jobs/calibration/publication.sql")
Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibrationRecord:
    """Everything that a run stores; each estimate has the surrogate key of its item or learner beside it."""

    run_id: str
    as_of: date
    fitted_at: datetime
    model: str
    model_spec: Mapping[str, object]
    metrics: Mapping[str, object]
    items: ItemEstimates
    item_no: Int32s  # (I,)
    abilities: AbilityEstimates
    learner_no: Int32s  # (N,)
    n_answers: Ints  # (N,) on calibrated items
    checks: tuple[CheckResult, ...]
    free_anchors: ItemEstimates | None = None


def store(conn: Connection, record: CalibrationRecord, state: RunState, *, summary: Mapping[str, object]) -> None:
    """Write every row and the run's new state, published or held, in one transaction: all or nothing.

    Raises JobError, and writes nothing, where the ledger has closed the run as an orphan meanwhile.
    """
    with conn.transaction():
        _insert_calibration(conn, record)
        _insert_items(conn, record)
        _insert_abilities(conn, record)
        _insert_checks(conn, record)
        close_run(conn, record.run_id, state, summary=summary)


def published_on(conn: Connection, as_of: date, *, over_at: datetime) -> str | None:
    """The newest published run for a date that began when the date was over."""
    return _first(conn.execute(SQL["published_on"], {"job": JOB, "as_of": as_of, "over_at": over_at}))


def current_run(conn: Connection) -> str | None:
    """The run whose parameters come first in the views."""
    return _first(conn.execute(SQL["current_run"], {"job": JOB}))


def current_parameters(conn: Connection, model: str) -> PublishedParameters | None:
    """What `mirt_item_params` shows, with the estimates under `model` behind it; None before anything is published."""
    rows = conn.execute(SQL["current_parameters"]).fetchall()
    if not rows:
        return None
    item_ids, a, b, run_ids, fitted_at = zip(*rows, strict=True)
    newest = max(zip(fitted_at, run_ids, strict=True))[1]
    return PublishedParameters(
        newest,
        np.array(item_ids, dtype=object),
        np.array(a, dtype=float),
        np.array(b, dtype=float),
        estimates=_current_estimates(conn, model),
        abilities=_current_abilities(conn),
    )


def _current_estimates(conn: Connection, model: str) -> ItemEstimates | None:
    rows = conn.execute(SQL["current_estimates"], {"model": model}).fetchall()
    if not rows:
        return None
    item_ids, *columns = zip(*rows, strict=True)
    a, b, se_a, se_b, covariance = (np.array(column, dtype=float) for column in columns)
    return ItemEstimates(
        item_ids=np.array(item_ids, dtype=object),
        parameters={"a": a, "b": b},
        se={"a": se_a, "b": se_b},
        covariance_ab=covariance,
    )


def _current_abilities(conn: Connection) -> PublishedAbilities | None:
    rows = conn.execute(SQL["current_abilities"]).fetchall()
    if not rows:
        return None
    user_ids, theta, se = zip(*rows, strict=True)
    return PublishedAbilities(np.array(user_ids, dtype=object), np.array(theta, dtype=float), np.array(se, dtype=float))


def publish(conn: Connection, run_id: str, *, reason: str, now: datetime) -> None:
    """Publish a held or retracted calibration by a person's decision, with the estimates made on its items.

    Raises InputError where it is in another state or no calibration.
    """
    _move(
        conn,
        run_id,
        RunState.PUBLISHED,
        sources=(RunState.HELD, RunState.RETRACTED),
        note=f"published {now:%F %T} UTC: {reason}",
        now=now,
    )


def retract(conn: Connection, run_id: str, *, reason: str, now: datetime) -> None:
    """Retract a published calibration and the estimates made on its items; the one before is current again.

    Raises InputError.
    """
    _move(
        conn,
        run_id,
        RunState.RETRACTED,
        sources=(RunState.PUBLISHED,),
        note=f"retracted {now:%F %T} UTC: {reason}",
        now=now,
    )


def _move(
    conn: Connection, run_id: str, to: RunState, *, sources: tuple[RunState, ...], note: str, now: datetime
) -> None:
    with conn.transaction():
        row = conn.execute(SQL["lock_run"], {"run_id": run_id}).fetchone()
        if row is None:
            raise InputError(f"no run {run_id!r}; `thetaline runs` lists them")
        state, job = row
        if job != JOB:
            raise InputError(f"run {run_id} is one of {job}; only a calibration can become {to}, its estimates with it")
        if state not in sources:
            raise InputError(f"run {run_id} is {state}; only one that is {' or '.join(sources)} can become {to}")
        conn.execute(SQL["move_run"], {"run_id": run_id, "state": to, "note": note})
        conn.execute(SQL["move_estimates"], {"run_id": run_id, "state": to, "note": note})
        _forget_kpis(conn, run_id, now)


def _forget_kpis(conn: Connection, run_id: str, now: datetime) -> None:
    """The KPIs that retracted fits gave go with them, each as the job that owns them."""
    for job, weeks in conn.execute(SQL["retracted_fits"], {"run_id": run_id}).fetchall():
        conn.execute(SQL["declare_writer"], {"job": job})
        conn.execute(SQL["forget_kpis"], {"job": job, "weeks": weeks, "now": now})


def _insert_calibration(conn: Connection, record: CalibrationRecord) -> None:
    values = {
        "run_id": record.run_id,
        "model_spec": to_json(record.model_spec),
        "metrics": to_json(record.metrics),
        "fitted_at": record.fitted_at,
    }
    conn.execute(SQL["insert_calibration"], values)


def _insert_items(conn: Connection, record: CalibrationRecord) -> None:
    last = dict(conn.execute(SQL["last_versions"], {"items": record.item_no.tolist()}).fetchall())
    versions = [last.get(number, 0) + 1 for number in record.item_no.tolist()]
    columns: dict[str, ArrayLike | list[Any]] = {
        "item_no": record.item_no,
        "version": np.array(versions, dtype=np.int32),
        "params": np.array([to_json(one) for one in published_parameters(record.items)], dtype=object),
        "cov_ab": _numbers(_covariance(record.items)),
        "free": _free(record.items, record.free_anchors),
    }
    _append(conn, "item_param", record, columns)


def _insert_abilities(conn: Connection, record: CalibrationRecord) -> None:
    columns: dict[str, ArrayLike] = {
        "learner_no": record.learner_no,
        "theta": record.abilities.theta,
        "se": record.abilities.se,
        "n_answers": record.n_answers,
    }
    _append(conn, "ability", record, columns)


def _insert_checks(conn: Connection, record: CalibrationRecord) -> None:
    checks = record.checks
    columns: dict[str, ArrayLike | list[Any]] = {
        "check_name": [check.name for check in checks],
        "passed": [check.passed for check in checks],
        "value": [check.value for check in checks],
        "limit_text": [check.limit for check in checks],
        "message": [check.message for check in checks],
    }
    copy_rows(conn, "gate_result", ["run_id", *columns], [record.run_id, *columns.values()])


def _append(
    conn: Connection, table: str, record: CalibrationRecord, columns: Mapping[str, ArrayLike | list[Any]]
) -> None:
    """Rows of estimates with what is the same for all of a run."""
    shared = {
        "run_id": record.run_id,
        "as_of": str(record.as_of),
        "fitted_at": record.fitted_at.isoformat(),
        "model": record.model,
    }
    copy_rows(conn, table, [*shared, *columns], [*shared.values(), *columns.values()])


def published_parameters(items: ItemEstimates) -> list[dict[str, object]]:
    """One `params` an item: {a, b, c?, d?, se: {…}}."""
    names, errors = list(items.parameters), list(items.se)
    columns = (*items.parameters.values(), *items.se.values())
    rows = np.column_stack(columns).tolist()
    return [{**_known(names, row[: len(names)]), "se": _known(errors, row[len(names) :])} for row in rows]


def _free(items: ItemEstimates, anchors: ItemEstimates | None) -> NDArray[np.object_]:
    """(I,) JSON of the anchors' own estimates, None for other items."""
    out = np.full(items.item_ids.size, None, dtype=object)
    if anchors is None:
        return out
    place = {name: i for i, name in enumerate(items.item_ids.tolist())}
    rows = zip(anchors.item_ids.tolist(), published_parameters(anchors), _covariance(anchors).tolist(), strict=True)
    for name, row, covariance in rows:
        out[place[name]] = to_json({**row, **_known(["cov_ab"], [covariance])})
    return out


def _covariance(items: ItemEstimates) -> Array:
    """(I,) of a with b; NaN where it is unknown."""
    return np.full(items.item_ids.size, np.nan) if items.covariance_ab is None else items.covariance_ab


def _numbers(values: Array) -> list[float | None]:
    """The same with None, which is null, for NaN."""
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _known(names: list[str], values: list[float]) -> dict[str, object]:
    return {name: value for name, value in zip(names, values, strict=True) if math.isfinite(value)}


def _first(cursor: psycopg.Cursor[Any]) -> str | None:
    row = cursor.fetchone()
    return row[0] if row else None
