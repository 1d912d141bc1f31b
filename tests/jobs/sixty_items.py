"""Sixty items, calibrations of them as a night stores them, and those that are anchors."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import ArrayLike
from school import Ended, rows

from thetaline import db
from thetaline.db.ledger import RunState, open_run
from thetaline.jobs.calibration.engine import AbilityEstimates, ItemEstimates
from thetaline.jobs.calibration.publication import CalibrationRecord, store

Tag = Callable[..., Ended]
N_ITEMS = 60
ITEM_IDS = [str(i) for i in range(1, N_ITEMS + 1)]
B = np.linspace(-2.5, 2.5, N_ITEMS)
NOTHING = np.array([], dtype=object)
NOBODY = AbilityEstimates(user_ids=NOTHING, theta=NOTHING.astype(float), se=NOTHING.astype(float))


def publish_items(
    url: str,
    day: int,
    b: ArrayLike = B,
    *,
    a: ArrayLike = 1.0,
    state: RunState = RunState.PUBLISHED,
    flagged: Sequence[Mapping[str, object]] = (),
) -> str:
    """A stored calibration with these parameters and nobody's ability."""
    as_of, now = date(2025, 11, day), datetime(2025, 11, day, 4, tzinfo=UTC)
    b = np.asarray(b, dtype=float)
    with db.connect(url) as conn, open_run(url, "mirt_calibrate", as_of=as_of, now=now) as run:
        number = dict(conn.execute("select item_id, item_no from item").fetchall())
        conn.rollback()
        items = ItemEstimates(
            item_ids=np.array(ITEM_IDS[: b.size], dtype=object),
            parameters={"a": np.broadcast_to(np.asarray(a, dtype=float), b.shape), "b": b},
            se={"a": np.full(b.size, 0.1), "b": np.full(b.size, 0.1)},
        )
        calibration = CalibrationRecord(
            run_id=run.run_id, as_of=as_of, fitted_at=now, model="2PL", model_spec={},
            metrics={"flagged_items": list(flagged)}, items=items,
            item_no=np.array([number[item_id] for item_id in items.item_ids], dtype=np.int32),
            abilities=NOBODY, learner_no=NOTHING.astype(np.int32), n_answers=NOTHING.astype(np.int64), checks=(),
        )  # fmt: skip
        store(conn, calibration, state, summary={})
    return run.run_id


def anchors(url: str) -> dict[str, dict[str, object]]:
    return dict(
        rows(url, "select id::text, meta->'irt' from question where meta->'tags' @> '[\"anchor\"]' order by id")
    )
