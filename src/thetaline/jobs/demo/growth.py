"""The demo's last night, and I_t compared with the true growth of the learners."""

from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import psycopg
from scipy.stats import spearmanr

from thetaline import db, logs
from thetaline.jobs.abilities import snapshot
from thetaline.jobs.arrays import Array
from thetaline.jobs.demo.school import Truth
from thetaline.jobs.kpis import compute
from thetaline.jobs.nightly import night
from thetaline.jobs.runner import JobContext
from thetaline.learning.windows import last_week_end, monday

WEEK_DAYS = 7
RECENT_MIDDLE, PREVIOUS_MIDDLE = 1.0, 3.0  # weeks before the end: the middles of the two windows of I_t
_SQL = db.sql("jobs/demo/demo.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthReport:
    """I_t compared with the simulated growth between its two windows."""

    n_learners: int
    n_with_i_t: int
    n_theta_based: int
    rank_correlation: float  # of the θ-based ones with the truth
    sd_growth: float  # θ: how much learners truly differ
    typical_error: float  # θ: median standard error of their Δθ
    mean_growth_up: float  # true growth, θ, of those with a reliable rise; NaN where nobody has one
    mean_growth_rest: float  # of all others; NaN where there is none
    n_reliably_up: int
    n_features_with_theta: int

    def as_json(self) -> dict[str, object]:
        """For the summary line."""
        return {"indicators": asdict(self)}


def run_nights(context: JobContext) -> None:
    """θ of each day of the week before, then the night from the drift check on; only errors are logged."""
    logs.configure(level="ERROR")
    for days in range(WEEK_DAYS, 0, -1):  # the first is what `improvement` of the last day is compared with
        past = replace(context, name=snapshot.JOB, as_of=context.as_of - timedelta(days=days))
        snapshot.work(past)
        context.conn.commit()
    for weeks in (1, 0):  # the KPIs of the reported week and of the one before it
        week_end = last_week_end(context.as_of) - timedelta(weeks=weeks)
        compute.work(replace(context, name=compute.JOB, as_of=week_end))
        context.conn.commit()
    night.work(replace(context, name=night.JOB), start="irt_drift")
    context.conn.commit()


def growth_report(context: JobContext, truth: Truth, *, weeks: int) -> GrowthReport:
    """Compare the KPIs that the night wrote with the truth."""
    learner = np.arange(truth.user_ids.size)
    ends = (np.full(learner.size, weeks - back) for back in (RECENT_MIDDLE, PREVIOUS_MIDDLE))
    recent, previous = (truth.theta(learner, end) for end in ends)
    true_growth = dict(zip(truth.user_ids.tolist(), (recent - previous).tolist(), strict=True))
    rows = _rows(context.conn, "weekly_kpis", {"week_start": monday(context.as_of)})
    of_theta = [(i_t, true_growth[user], up, se) for user, i_t, method, up, se in rows if method == "theta_delta"]
    i_t, growth, reliable, errors = (np.array(column, float) for column in zip(*of_theta, strict=True))
    return GrowthReport(
        n_learners=len(rows),
        n_with_i_t=sum(value is not None for _, value, *_ in rows),
        n_theta_based=len(of_theta),
        rank_correlation=float(spearmanr(i_t, growth).statistic),
        sd_growth=float(growth.std()),
        typical_error=float(np.median(errors)),
        mean_growth_up=_mean(growth[reliable == 1]),
        mean_growth_rest=_mean(growth[reliable != 1]),
        n_reliably_up=int((reliable == 1).sum()),
        n_features_with_theta=_rows(context.conn, "features_with_theta", {})[0][0],
    )


def _mean(growth: Array) -> float:
    return float(growth.mean()) if growth.size else float("nan")


def report_text(report: GrowthReport) -> str:
    """A part of the report on the terminal."""
    spread, error = report.sd_growth, report.typical_error
    return f"""
Weekly KPIs: {report.n_learners} learners, {report.n_with_i_t} with I_t, {report.n_theta_based} of them by θ.

  growth              rank correlation of I_t with the simulated growth {report.rank_correlation:.2f}
                      two weeks' growth differs by {spread:.2f} θ, its estimate errs by {error:.2f}
                      {_rises(report)}
  daily features      {report.n_features_with_theta:,} rows of a learner, topic and day with θ

  thetaline drift                                   items that changed, anchors to retire
  thetaline db psql -c "table weekly_kpi limit 3"   the KPIs of three learners
"""


def _rises(report: GrowthReport) -> str:
    if not report.n_reliably_up:
        return f"nobody rose reliably; all grew truly by {report.mean_growth_rest:+.2f} θ"
    others = f", the others by {report.mean_growth_rest:+.2f}" if report.n_reliably_up < report.n_theta_based else ""
    return f"{report.n_reliably_up} rose reliably: truly by {report.mean_growth_up:+.2f} θ{others}"


def _rows(conn: psycopg.Connection[Any], statement: str, parameters: dict[str, object]) -> list[tuple[Any, ...]]:
    return conn.execute(_SQL[statement], parameters).fetchall()
