"""What the demo says of growth: of each learner the true one, sorted by what the night found."""

import json
from datetime import timedelta

import numpy as np
import pytest
from learners import TODAY, Connection, as_writer, context

from thetaline.jobs.demo.files import School
from thetaline.jobs.demo.growth import growth_report, report_text
from thetaline.jobs.demo.lines import line_report, report_text as lines_text
from thetaline.jobs.demo.recovery import AbilityMoments
from thetaline.jobs.demo.school import SchoolPlan, simulate
from thetaline.learning.windows import monday

WEEKS = 12
TRUTH, _ = simulate(SchoolPlan(learners=6))
LEARNERS = np.arange(6)
GROWN = TRUTH.theta(LEARNERS, np.full(6, 11.0)) - TRUTH.theta(LEARNERS, np.full(6, 9.0))


def write_kpis(conn: Connection, reliable: list[int | None]) -> None:
    """Of all learners but the last by theta, I_t in the order of the true growth; of the last by answers alone."""
    as_writer(conn, "compute_daily_kpis")
    for learner, up in enumerate(reliable):
        kpis = {"I_t": 0.4 + GROWN[learner], "method": "theta_delta", "reliable_change": up}
        kpis["delta_theta_se"] = 0.1 * (learner + 1)
        if learner == 5:
            kpis = {"I_t": None, "method": "residual"}
        conn.execute(
            "insert into weekly_kpi (user_id, week_start, kpis) values (%s, %s, cast(%s as jsonb))",
            (str(TRUTH.user_ids[learner]), monday(TODAY), json.dumps(kpis)),
        )
    conn.commit()


def test_the_true_growth_of_those_who_rose_reliably_stands_beside_that_of_all_others(
    conn: Connection, database: str
) -> None:
    write_kpis(conn, [1, 0, 1, -1, None, None])
    report = growth_report(context(conn, database, "demo"), TRUTH, weeks=WEEKS)
    assert (report.n_learners, report.n_with_i_t, report.n_theta_based, report.n_reliably_up) == (6, 5, 5, 2)
    assert report.mean_growth_up == pytest.approx(GROWN[[0, 2]].mean())
    assert report.mean_growth_rest == pytest.approx(GROWN[[1, 3, 4]].mean())
    assert report.sd_growth == pytest.approx(GROWN[:5].std())
    assert (report.rank_correlation, report.typical_error) == pytest.approx((1.0, 0.3))
    assert f"2 rose reliably: truly by {report.mean_growth_up:+.2f} θ" in report_text(report)


@pytest.mark.parametrize("change", [0, 1])
def test_where_all_are_alike_the_others_have_no_mean(conn: Connection, database: str, change: int) -> None:
    write_kpis(conn, [change] * 6)
    report = growth_report(context(conn, database, "demo"), TRUTH, weeks=WEEKS)
    found = {1: report.mean_growth_up, 0: report.mean_growth_rest}
    assert found[change] == pytest.approx(GROWN[:5].mean())
    assert np.isnan(found[1 - change])
    assert ("nobody rose reliably" in report_text(report)) == (change == 0)
    assert "nan" not in report_text(report)


def test_slopes_and_goals_are_held_against_the_simulated_lines(conn: Connection, database: str) -> None:
    base = AbilityMoments(0.2, 1.25)
    school = School(SchoolPlan(learners=6), TODAY - timedelta(days=83))
    write_lines(conn, school, base)
    report = line_report(conn, school, TRUTH, base=base)
    assert report.slopes["answers"] == (6, pytest.approx(5 / 6), pytest.approx(1.0, abs=0.2))
    assert "weekly θ" not in report.slopes
    low, high = report.goals
    assert (low.n, low.predicted, low.reached) == (3, pytest.approx(0.1), 0.0)
    assert (high.n, high.predicted, high.reached) == (3, pytest.approx(0.9), 1.0)
    assert "from answers" in lines_text(report)


def write_lines(conn: Connection, school: School, base: AbilityMoments) -> None:
    """True slopes but one, and goals that the first three learners miss by 0.1 and the others reach by as much."""
    conn.execute(
        "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
        " values ('g', 'fit_bayesian_growth', %s, 'published', now(), now(), 'h', 1)",
        [TODAY],
    )
    day = TODAY + timedelta(weeks=4)
    theta = (TRUTH.theta(LEARNERS, np.full(6, 16.0)) - base.mean) / base.sd
    for learner, user in enumerate(TRUTH.user_ids.tolist()):
        slope = TRUTH.rate[learner] / base.sd + (0.05 if learner == 3 else 0.0)
        conn.execute("insert into learner (user_id) values (%s)", [user])
        values = {"user": user, "slope": float(slope), "day": day, "p": 0.1 if learner < 3 else 0.9}
        values["target"] = float(theta[learner] + (0.1 if learner < 3 else -0.1))
        conn.execute(
            "insert into growth_line (run_id, learner_no, level, level_se, slope, slope_se, n_weeks)"
            " select 'g', learner_no, 0, 0.1, %(slope)s, 0.02, 9 from learner where user_id = %(user)s",
            values,
        )
        conn.execute(
            "insert into growth_goal (run_id, learner_no, topic_id, target_level, target_date, probability)"
            " select 'g', learner_no, 'a', %(target)s, %(day)s, %(p)s from learner where user_id = %(user)s",
            values,
        )
    conn.commit()
