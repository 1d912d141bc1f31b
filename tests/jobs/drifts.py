"""Calibrations as the nights leave them, with items that moved, and what the drift check says."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
from learners import NOW, TODAY, Connection, context

from thetaline.jobs.drift import check as check_job

SE = {"a": 0.08, "b": 0.06}
Params = dict[int, dict[str, float]]
LONG_AGO = TODAY - timedelta(days=70)
YESTERDAY = TODAY - timedelta(days=1)
TOMORROW = TODAY + timedelta(days=1)


def truth(n_items: int = 30) -> Params:
    rng = np.random.default_rng(3)
    return {i + 1: {"a": float(rng.lognormal(0.1, 0.25)), "b": float(rng.normal())} for i in range(n_items)}


def estimated(params: Params, seed: int, *, slope: float = 1.0, shift: float = 0.0) -> Params:
    """With the error of a calibration, on a scale where θ' = slope θ + shift."""
    rng = np.random.default_rng(seed)
    return {
        item: {
            "a": (one["a"] + float(rng.normal(0, SE["a"]))) / slope,
            "b": slope * (one["b"] + float(rng.normal(0, SE["b"]))) + shift,
        }
        for item, one in params.items()
    }


def calibrated(
    conn: Connection,
    run_id: str,
    params: Params,
    as_of: date,
    *,
    state: str = "published",
    model: str = "2PL",
    se: Mapping[int, Mapping[str, float]] | None = None,
) -> None:
    """A stored calibration; `se` are the standard errors of items that have others than SE."""
    conn.execute(
        "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
        " values (%s, 'mirt_calibrate', %s, %s, %s, %s, 'test', 1)",
        (run_id, as_of, state, NOW, NOW),
    )
    conn.execute("insert into calibration (run_id, model_spec) values (%s, '{}')", (run_id,))
    for item, values in params.items():
        conn.execute("insert into item (item_id) values (%s) on conflict do nothing", (str(item),))
        conn.execute(
            "insert into item_param (run_id, item_no, as_of, model, params)"
            " select %s, item_no, %s, %s, cast(%s as jsonb) from item where item_id = %s",
            (run_id, as_of, model, json.dumps({**values, "se": (se or {}).get(item, SE)}), str(item)),
        )
    conn.commit()


def tag(conn: Connection, item: int, values: Mapping[str, float], run_id: str | None) -> None:
    meta = {"irt": {**values, "model": "2PL", "version": 1, "run_id": run_id}, "tags": ["anchor"]}
    conn.execute(
        "insert into question (id, meta) values (%s, cast(%s as jsonb))"
        " on conflict (id) do update set meta = excluded.meta",
        (item, json.dumps(meta)),
    )
    conn.commit()


def check(conn: Connection, database: str, **options: Any) -> dict[str, Any]:
    summary = check_job.work(context(conn, database, "irt_drift", **options))
    conn.commit()
    return dict(summary)


def alerts(conn: Connection, where: str = "resolved_at is null") -> dict[str, tuple[Any, ...]]:
    columns = "item_id, severity, is_anchor, proposal, statistics"
    query = f"select {columns} from drift_alert join item using (item_no) where {where}"
    return {item: rest for item, *rest in conn.execute(query)}


def moved(*items: int, by: float = 1.0) -> Params:
    """The truth with the b of these items moved."""
    return {item: {**one, "b": one["b"] + by * (item in items)} for item, one in truth().items()}


def resolutions(conn: Connection) -> dict[str, tuple[str, str]]:
    columns = "item_id, resolved_by, resolution"
    query = f"select {columns} from drift_alert join item using (item_no) where resolved_at is not null"
    return {item: (who, what) for item, who, what in conn.execute(query)}
