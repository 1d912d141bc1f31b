"""What the demo says of growth: of each learner the true one, sorted by what the night found."""

import json

import numpy as np
import pytest
from learners import TODAY, Connection, as_writer, context

from thetaline.jobs.demo.growth import growth_report, report_text
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
