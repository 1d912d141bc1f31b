"""A school after the jobs of a week, with classes, goals, risks and segments; and its weekly reports."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import numpy as np
from learners import (
    NOW,
    TODAY,
    Answer,
    Connection,
    bank_params,
    connected,
    context,
    publish_items,
    simulated,
    write_answers,
)

from thetaline.jobs.abilities import snapshot, weekly
from thetaline.jobs.growth import lines
from thetaline.jobs.kpis import compute
from thetaline.jobs.reports.read import weekly_reports
from thetaline.reports.policy import ReportOptions
from thetaline.reports.value import Audience, Language, WeeklyReport

MONDAY = TODAY - timedelta(days=6)
TOPICS = ("algebra", "geometry")
SIX_WEEKS = tuple(range(3, 42, 7))
TEACHER = ReportOptions(audience=Audience.TEACHER, language=Language.EN)
LEARNER = ReportOptions(audience=Audience.LEARNER, language=Language.KO)


@contextmanager
def school_of(url: str) -> Iterator[Connection]:
    """Forty learners over six weeks, every other one growing, and a few odd ones, after the jobs of a week."""
    with connected(url) as conn:
        write_school(conn)
        for job in (weekly, snapshot, compute, lines):
            job.work(context(conn, url, job.JOB))
            conn.commit()
        write_staff(conn)
        yield conn


SEGMENTS = [{"english": "many hints", "korean": "힌트를 많이 사용"}, {"english": "quick", "korean": "빠름"}]


def write_school(conn: Connection) -> None:
    rng = np.random.default_rng(8)
    params = bank_params(150, rng)
    publish_items(conn, params)
    spec = """{"linking_constants": {"A": 1.02, "B": 0.05, "n_anchors_used": 48, "method": "stocking-lord"}}"""
    conn.execute("update calibration set model_spec = %s", [spec])
    levels, slopes = np.linspace(-1, 1, 40), np.tile([0.35, 0.0], 20)
    for number, days in enumerate(SIX_WEEKS):
        theta = {f"u{i:02d}": float(levels[i] - slopes[i] * number) for i in range(40)}
        items = range(1 + 25 * number, 26 + 25 * number)
        write_answers(conn, simulated(theta, params, items, rng, days_ago=(days,), topics=TOPICS))
    write_answers(conn, [Answer("three", item, item != 2, 1) for item in (1, 2, 3)])
    write_answers(conn, [Answer("gone", item, True, 30) for item in (1, 2, 3)])
    hasty = [
        Answer("hasty", item, item > 12, 3, TOPICS[item % 2], seconds=1 if item <= 12 else 20) for item in range(1, 26)
    ]
    write_answers(conn, hasty)
    conn.execute(
        "insert into question (id, content, topic_id)"
        " select i, 'Question ' || i, (array['algebra', 'geometry'])[1 + i % 2] from generate_series(1, 150) as i"
    )
    conn.execute("insert into classroom values ('a', 'Class 3-1'), ('small', null)")
    conn.execute(
        """insert into session (session_id, user_id, classroom_id, started_at)
           select user_id, user_id, case when user_id < 'u20' then 'a' else 'small' end, %s
           from learner where user_id between 'u00' and 'u22'""",
        [NOW - timedelta(days=4)],
    )
    conn.execute(
        """insert into interest_goal (user_id, topic_id, target_level, priority, target_date) values
           ('u00', 'algebra', 0.5, 1, '2025-11-23'), ('u00', 'geometry', -9, 3, null),
           ('u02', 'algebra', null, 1, '2027-11-23')"""
    )
    conn.commit()


def write_staff(conn: Connection) -> None:
    """A risk, a segment and alerts, as their jobs leave them."""
    for job, state in (("fit_survival_churn", "published"), ("cluster_segments", "published"), ("irt_drift", "done")):
        conn.execute(
            "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
            " values (%s, %s, %s, %s, %s, %s, 'test', 1)",
            (f"{job}-1", job, TODAY, state, NOW, NOW),
        )
    conn.execute(
        """insert into survival_fit_meta (run_id, formula, fitted_at, in_force, status, intended_use)
           values ('fit_survival_churn-1', '', %s, 'landmark_hazard', 'fitted', '')""",
        [NOW],
    )
    conn.execute(
        """insert into segment_meta (run_id, method, n_clusters, centers, fitted_at, status, intended_use) values
           ('cluster_segments-1', '', 2, cast(%s as jsonb), %s, 'fitted', '')""",
        [json.dumps(SEGMENTS), NOW],
    )
    for table, values in (
        ("learner_risk", "'fit_survival_churn-1', learner_no, 0.3, 1, 50"),
        ("learner_segment", "'cluster_segments-1', learner_no, 0, '{}'"),
    ):
        conn.execute(f"insert into {table} select {values} from learner where user_id = 'u00'")
    conn.execute(
        """insert into drift_alert (run_id, item_no, is_anchor, severity, statistics, resolved_at, resolved_by)
           select 'irt_drift-1', item_no, false, 'info', '{}',
                  case when item_id::int > 110 then cast(%s as timestamptz) end,
                  case when item_id::int > 110 then 'person' end
           from item where item_id::int between 101 and 120""",
        [NOW - timedelta(days=2)],
    )
    conn.execute("""update question set meta = '{"tags": ["retired"]}' where id between 121 and 130""")
    conn.commit()


def reports(conn: Connection, *users: str, options: ReportOptions = TEACHER, week: date = MONDAY) -> list[WeeklyReport]:
    return list(weekly_reports(conn, week, users or None, options=options))


def row_of(conn: Connection, query: str, *values: Any) -> tuple[Any, ...]:
    return tuple(conn.execute(query, values).fetchone() or ())
