"""Forecasts of weeks that no fit has seen: of the model, of the nightly S and of recency alone."""

from dataclasses import dataclass
from itertools import islice

import numpy as np

from thetaline.learning._types import Array
from thetaline.learning.churn.landmarks import SILENT_DAYS, WEEK_DAYS, Cohort, LandmarkRows
from thetaline.learning.churn.model import Recalibration, fit_model, recalibrated
from thetaline.learning.inactivity import fit_bg_bb, inactivity_probability

MIN_HOLDOUTS = 3
MAX_HOLDOUTS = 6
MIN_EVENTS = 20  # of either outcome, to fit on
RECENCY = ("log_silence",)


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """R rows of all hold-outs with the forecasts (R,) of each; `eta` is the model's before recalibration."""

    rows: LandmarkRows
    eta: Array
    risk: Array
    inactivity: Array
    recency: Array


def known_by(rows: LandmarkRows, landmark: int, *, silent_days: int = SILENT_DAYS) -> LandmarkRows:
    """The rows whose outcome was known at a landmark: the embargo of the days before it."""
    weeks = -(-silent_days // WEEK_DAYS)
    return rows.where((rows.landmark >= landmark + weeks) & np.isfinite(rows.silent))


def holdouts(rows: LandmarkRows, *, silent_days: int = SILENT_DAYS) -> list[int]:
    """The newest landmarks with known outcomes that earlier ones can be fitted for; the oldest first."""
    known = np.unique(rows.landmark[np.isfinite(rows.silent)])
    fitting = (int(one) for one in known if can_fit(known_by(rows, one, silent_days=silent_days)))
    return list(islice(fitting, MAX_HOLDOUTS))[::-1]  # years of landmarks are not tried one by one


def can_fit(rows: LandmarkRows) -> bool:
    """Whether there are enough of either outcome."""
    n_silent = rows.silent.sum()
    return bool(min(n_silent, rows.silent.size - n_silent) >= MIN_EVENTS)


def forecasts(cohort: Cohort, landmarks: list[int], *, silent_days: int = SILENT_DAYS) -> Forecasts:
    """Each landmark from what was known by then, the recalibration too."""
    rows = cohort.rows
    done: list[Forecasts] = []
    for landmark in landmarks:
        known = known_by(rows, landmark, silent_days=silent_days)
        now = rows.where(rows.landmark == landmark)
        eta = fit_model(known).eta(now)
        recency = fit_model(known, only=RECENCY).eta(now)
        before = joined(done)
        recalibration = recalibration_by(before, landmark, silent_days) if before else Recalibration()
        inactivity = nightly_s(cohort, now, landmark, silent_days)
        done.append(Forecasts(now, eta, recalibration.risk(eta), inactivity, Recalibration().risk(recency)))
    found = joined(done)
    if found is None:
        raise ValueError("no landmark to hold out")
    return found


def nightly_s(cohort: Cohort, now: LandmarkRows, landmark: int, silent_days: int = SILENT_DAYS) -> Array:
    """(R,) S of rows of one landmark, by the cohort's parameters at that time, as `compute_daily_kpis` has it."""
    return inactivity_probability(now.habit, fit_bg_bb(cohort.habits[landmark]), ahead=silent_days)


def recalibration_by(found: Forecasts, landmark: int, silent_days: int = SILENT_DAYS) -> Recalibration:
    """From the hold-outs whose outcomes were known at a landmark; from too few none."""
    weeks = -(-silent_days // WEEK_DAYS)
    seen = found.rows.landmark >= landmark + weeks
    rows = found.rows.where(seen)
    return recalibrated(found.eta[seen], rows.silent, rows.learner) if can_fit(rows) else Recalibration()


def joined(parts: list[Forecasts]) -> Forecasts | None:
    """All of them as one."""
    if not parts:
        return None
    tables = [part.rows for part in parts]
    arrays = {
        name: np.concatenate([getattr(table, name) for table in tables])
        for name in LandmarkRows.__dataclass_fields__
        if name != "names"
    }
    columns = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("eta", "risk", "inactivity", "recency")
    )
    return Forecasts(LandmarkRows(**arrays, names=tables[0].names), *columns)
