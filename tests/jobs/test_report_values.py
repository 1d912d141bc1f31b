"""The values of weekly reports: every number is that of the stored rows, of runs that held, of this learner alone."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from learners import TODAY, Answer, Connection, bank_params, connected, context, publish_items, simulated, write_answers

from thetaline.errors import InputError
from thetaline.jobs.abilities import snapshot, weekly
from thetaline.jobs.growth import lines
from thetaline.jobs.kpis import compute
from thetaline.jobs.reports.read import input_hash, weekly_reports
from thetaline.reports.policy import ReportOptions
from thetaline.reports.value import Absent, Audience, Change, GrowthLine, Language, Standing, Trend, WeeklyReport

MONDAY = TODAY - timedelta(days=6)
SIX_WEEKS = tuple(range(3, 42, 7))
TEACHER = ReportOptions(audience=Audience.TEACHER, language=Language.EN)
LEARNER = ReportOptions(audience=Audience.LEARNER, language=Language.KO)


@pytest.fixture(scope="module")
def school(module_database: str) -> Iterator[Connection]:
    """Forty learners over six weeks, every other one growing, after a week's jobs; one of three answers."""
    with connected(module_database) as conn:
        write_school(conn)
        for job in (weekly, snapshot, compute, lines):
            job.work(context(conn, module_database, job.JOB))
            conn.commit()
        yield conn


def write_school(conn: Connection) -> None:
    rng = np.random.default_rng(8)
    params = bank_params(150, rng)
    publish_items(conn, params)
    spec = (
        '{"linked": true, "linking_constants": {"A": 1.02, "B": 0.05, "n_anchors_used": 48, "method": "stocking-lord"}}'
    )
    conn.execute("update calibration set model_spec = %s", [spec])
    levels, slopes = np.linspace(-1, 1, 40), np.tile([0.35, 0.0], 20)
    for number, days in enumerate(SIX_WEEKS):
        theta = {f"u{i:02d}": float(levels[i] - slopes[i] * number) for i in range(40)}
        items = range(1 + 25 * number, 26 + 25 * number)
        write_answers(conn, simulated(theta, params, items, rng, days_ago=(days,), topics=("algebra", "geometry")))
    write_answers(conn, [Answer("three", item, item != 2, 1) for item in (1, 2, 3)])
    write_answers(conn, [Answer("gone", item, True, 30) for item in (1, 2, 3)])


def reports(conn: Connection, *users: str, options: ReportOptions = TEACHER, week: date = MONDAY) -> list[WeeklyReport]:
    return list(weekly_reports(conn, week, users or None, options=options))


def one(conn: Connection, query: str, *values: Any) -> tuple[Any, ...]:
    return tuple(conn.execute(query, values).fetchone() or ())


def trend_of(report: WeeklyReport) -> Trend:
    assert isinstance(report.trend, Trend)
    return report.trend


def test_everybody_of_the_last_weeks_has_a_report_in_the_order_of_ids(school: Connection) -> None:
    found = [report.reader.user_id for report in reports(school)]
    assert found == sorted([*(f"u{i:02d}" for i in range(40)), "three", "gone"])


def test_the_trend_is_the_weekly_theta_of_the_run_and_nobody_elses(school: Connection) -> None:
    query = """select week_start, theta, se, n from weekly_theta
               where user_id = %s and run_id = newest_weekly_theta(%s) order by 1"""
    for user in ("u03", "u17"):
        measures = trend_of(*reports(school, user)).measures
        stored = school.execute(query, (user, TODAY)).fetchall()
        assert [(m.week, m.theta.value, m.theta.se, m.n) for m in measures] == stored


def test_the_line_is_the_growth_run_s_and_ends_at_its_level(school: Connection) -> None:
    trend = trend_of(*reports(school, "u05"))
    stored = one(
        school,
        "select level, level_se, slope, slope_se, n_weeks from growth_line join learner using (learner_no)"
        " where user_id = 'u05' and run_id = newest_growth('fit_bayesian_growth', %s)",
        TODAY,
    )
    line = trend.line
    assert isinstance(line, GrowthLine)
    assert (line.level.value, line.level.se, line.slope.value, line.slope.se, line.n_weeks) == stored
    assert line.fitted[-1] == (MONDAY, line.level)
    assert len(line.fitted) == 6
    assert line.fitted[0][1].value == pytest.approx(line.level.value - 5 * line.slope.value)


def test_growing_learners_are_told_so_and_those_who_do_not_are_not(school: Connection) -> None:
    told = [report.headline.change for report in reports(school) if report.reader.user_id.startswith("u")]
    assert told[0::2].count(Change.UP) >= 8
    assert told[1::2].count(Change.UP) + told[1::2].count(Change.DOWN) <= 2


def test_theta_now_is_the_ability_of_the_day(school: Connection) -> None:
    standing = reports(school, "u09")[0].standing
    assert isinstance(standing, Standing)
    stored = one(school, "select theta, se from mirt_ability where user_id = 'u09'")
    assert (standing.theta.value, standing.theta.se) == stored


def test_the_calibration_is_named_with_its_link(school: Connection) -> None:
    measurement = reports(school, "u09")[0].measurement
    assert not isinstance(measurement, Absent)
    assert (measurement.run_id, measurement.model, measurement.n_items) == ("fit-test", "2PL", 150)
    assert not isinstance(measurement.linking, Absent)
    assert (measurement.linking.slope, measurement.linking.n_anchors_used) == (1.02, 48)


def test_a_learner_with_three_answers_has_a_level_and_no_line(school: Connection) -> None:
    report = reports(school, "three")[0]
    assert report.headline.change is Change.UNKNOWN
    assert report.headline.n_answers == 3
    assert trend_of(report).line is Absent.TOO_FEW_WEEKS
    assert isinstance(report.standing, Standing)
    assert report.standing.level is None


def test_a_week_without_answers_says_nothing_of_a_change(school: Connection) -> None:
    report = reports(school, "gone")[0]
    assert (report.headline.change, report.headline.n_answers) == (Change.UNKNOWN, 0)


def test_sources_are_the_runs_behind_the_numbers(school: Connection) -> None:
    sources = reports(school, "u09")[0].sources
    jobs = [one(school, "select job from run where run_id = %s", run_id)[0] for run_id in sources]
    assert sorted(jobs) == ["fit_bayesian_growth", "mirt_calibrate", "snapshot_theta", "weekly_theta"]


def test_equal_values_have_equal_hashes_and_a_changed_one_another(school: Connection) -> None:
    first = reports(school, "u09")[0]
    again = next(report for report in reports(school) if report.reader.user_id == "u09")
    assert input_hash(first) == input_hash(again)
    assert input_hash(first) != input_hash(reports(school, "u09", options=LEARNER)[0])


def test_what_is_retracted_is_in_no_report(school: Connection) -> None:
    school.execute("update run set state = 'retracted' where job in ('weekly_theta', 'fit_bayesian_growth')")
    report = reports(school, "u09")[0]
    assert report.trend is Absent.NOT_FITTED
    school.rollback()


def test_a_day_that_is_no_monday_and_an_unknown_user_are_refused(school: Connection) -> None:
    with pytest.raises(InputError, match=f"{TODAY} is no Monday; the week of that day is {MONDAY}"):
        weekly_reports(school, TODAY, options=TEACHER)
    with pytest.raises(InputError, match="no answers of user 'nobody'"):
        reports(school, "nobody")
