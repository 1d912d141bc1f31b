"""A small school with four weeks of answers, and the night run on it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from learners import NOW, Connection, bank_params, context, simulated, write_answers

from thetaline.jobs.nightly import night as night_job

DAILY = [stage for stage in night_job.STAGES if not stage.weekly]
WEEKLY = [stage.name for stage in night_job.STAGES if stage.weekly]
ORDER = [stage.name for stage in DAILY]
LATER = NOW + timedelta(hours=1)


def write_school(conn: Connection) -> None:
    """Eighty learners with 30 items each, answers of the last 28 days."""
    rng = np.random.default_rng(1)
    theta = {f"u{number:02d}": float(value) for number, value in enumerate(rng.normal(0, 1, 80))}
    items = range(1, 31)
    write_answers(conn, simulated(theta, bank_params(30, rng), items, rng, days_ago=(0, 1, 5, 9, 16, 20, 26)))


def night(conn: Connection, database: str, now: datetime = NOW, **options: Any) -> dict[str, Any]:
    """The stages of every day in this process, or those given; raises what its stage raises."""
    options.setdefault("stages", DAILY)
    names = ("since", "start", "only", "anyway", "catch_up", "stages")
    chosen = {name: options.pop(name) for name in names if name in options}
    return dict(night_job.work(context(conn, database, "nightly", now=now, **options), **chosen))


def states(found: dict[str, Any]) -> list[str]:
    """How each stage of a night ended, those of once a week apart."""
    return statuses([stage for stage in found["stages"] if stage["stage"] not in WEEKLY])


def statuses(stages: Sequence[dict[str, Any]]) -> list[str]:
    """The same of the stages alone."""
    return [str(stage["status"]) for stage in stages]
