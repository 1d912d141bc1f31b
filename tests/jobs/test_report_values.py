"""The values of weekly reports: every number is that of the stored rows, of runs that held, of this learner alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from learners import TODAY, Connection
from report_school import LEARNER, MONDAY, TEACHER, reports, row_of, school_of

from thetaline.errors import InputError
from thetaline.jobs.reports.read import input_hash, weekly_reports
from thetaline.learning.segments import UNSTABLE
from thetaline.reports.policy import Policy
from thetaline.reports.value import (
    Absent,
    Audience,
    Change,
    ForecastPoint,
    GrowthLine,
    Percentile,
    Risk,
    Standing,
    Trend,
    WeeklyReport,
)
from thetaline.settings import Settings


@pytest.fixture(scope="module")
def school(module_database: str) -> Iterator[Connection]:
    with school_of(module_database) as conn:
        yield conn


def trend_of(report: WeeklyReport) -> Trend:
    assert isinstance(report.trend, Trend)
    return report.trend


def test_everybody_of_the_last_weeks_has_a_report_in_the_order_of_ids(school: Connection) -> None:
    found = [report.reader.user_id for report in reports(school)]
    assert found == sorted([*(f"u{i:02d}" for i in range(40)), "three", "gone", "hasty"])


def test_the_trend_is_the_weekly_theta_of_the_run_and_nobody_elses(school: Connection) -> None:
    query = """select week_start, theta, se, n from weekly_theta
               where user_id = %s and run_id = newest_weekly_theta(%s) order by 1"""
    for user in ("u03", "u17"):
        measures = trend_of(*reports(school, user)).measures
        stored = school.execute(query, (user, TODAY)).fetchall()
        assert [(m.week, m.theta.value, m.theta.se, m.n) for m in measures] == stored


def test_the_line_is_the_growth_run_s_and_ends_at_its_level(school: Connection) -> None:
    trend = trend_of(*reports(school, "u05"))
    stored = row_of(
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
    stored = row_of(school, "select theta, se from mirt_ability where user_id = 'u09'")
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
    jobs = [row_of(school, "select job from run where run_id = %s", run_id)[0] for run_id in sources]
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


def test_a_percentile_is_within_the_class_of_ten_else_among_all(school: Connection) -> None:
    for user, group, n in (("u00", "Class 3-1", 20), ("u39", "", 42)):
        standing = reports(school, user)[0].standing
        assert isinstance(standing, Standing)
        assert isinstance(standing.percentile, Percentile)
        assert (standing.percentile.group, standing.percentile.n) == (group, n)
        assert standing.percentile.value.high - standing.percentile.value.low <= 40


def test_a_learner_and_a_family_see_no_percentile_risk_or_segment(school: Connection) -> None:
    family = replace(LEARNER, audience=Audience.FAMILY)
    for options in (LEARNER, family):
        report = reports(school, "u00", options=options)[0]
        assert isinstance(report.standing, Standing)
        assert (report.standing.percentile, report.risk, report.segment) == (Absent.NOT_ALLOWED,) * 3
        assert not any(run_id.startswith(("fit_survival", "cluster")) for run_id in report.sources)
    teacher = reports(school, "u00")[0]
    assert teacher.risk == Risk(0.3, "landmark_hazard")
    assert teacher.segment == {"en": "many hints", "ko": "힌트를 많이 사용"}
    assert {"fit_survival_churn-1", "cluster_segments-1"} <= set(teacher.sources)
    school.execute("update segment_meta set n_clusters = 1")
    assert isinstance(reports(school, "u00")[0].segment, Absent)
    school.rollback()


def test_who_is_in_no_stable_group_is_not_said_to_be_like_one(school: Connection) -> None:
    school.execute("update segment_meta set centers = jsonb_set(centers, '{0,label}', to_jsonb(%s::text))", [UNSTABLE])
    report = reports(school, "u00")[0]
    school.rollback()
    assert isinstance(report.segment, Absent)
    assert "cluster_segments-1" not in report.sources


def test_a_policy_may_show_a_percentile_to_learners_but_never_a_risk(school: Connection) -> None:
    policy = Policy(show_percentile_to_learners=True, show_risk_to_teachers=False)
    report = reports(school, "u00", options=replace(LEARNER, policy=policy))[0]
    assert isinstance(report.standing, Standing)
    assert isinstance(report.standing.percentile, Percentile)
    assert report.risk is Absent.NOT_ALLOWED
    assert reports(school, "u00", options=replace(TEACHER, policy=policy))[0].risk is Absent.NOT_ALLOWED


def test_an_earlier_week_has_nothing_of_what_came_later(school: Connection) -> None:
    report = reports(school, "u17", week=MONDAY - timedelta(weeks=2))[0]
    assert report.measurement is Absent.NOT_PUBLISHED
    assert (report.standing, report.trend, report.item_map) == (Absent.NOT_PUBLISHED,) * 3
    assert (report.kpis, report.next_items, report.sources) == ((), (), ())
    assert sum(one.attempts for one in report.topics) == 25


def test_one_learner_alone_has_the_report_that_the_cohort_gives(school: Connection) -> None:
    of_all = {report.reader.user_id: report for report in reports(school)}
    for user in ("u00", "u21", "three", "gone"):
        assert input_hash(reports(school, user)[0]) == input_hash(of_all[user])


def test_a_policy_is_what_the_settings_say() -> None:
    settings = Settings(_env_file=None, report_show_percentile_to_families=True, report_show_segment_to_teachers=False)
    policy = Policy.of(settings)
    assert policy == Policy(show_percentile_to_families=True, show_segment_to_teachers=False)
    assert [policy.shows_percentile(one) for one in Audience] == [False, True, True]
    assert [policy.shows_risk(one) for one in Audience] == [False, True, False]
    assert not any(policy.shows_segment(one) for one in Audience)


def test_the_forecast_of_the_week_s_run_is_shown_and_no_other_s(school: Connection) -> None:
    assert trend_of(reports(school, "u00")[0]).forecast_absent is Absent.NOT_FITTED
    for run_id, day in (("forecast-1", TODAY), ("forecast-0", TODAY - timedelta(days=7))):
        school.execute(
            """insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)
               values (%s, 'forecast_prophet', %s, 'published', now(), now(), 'test', 1)""",
            [run_id, day],
        )
        school.execute(
            """insert into prophet_fit_meta (run_id, metric, fitted_at, status, intended_use)
               values (%s, 'theta', now(), 'fitted', '')""",
            [run_id],
        )
        school.execute(
            """insert into forecast_series (run_id, series_no, metric, learner_no, weeks_known)
               select %s, learner_no, 'theta', learner_no, 6 from learner where user_id in ('u00', 'u01', 'three')""",
            [run_id],
        )
        school.execute(
            """insert into forecast_value
               select %s, learner_no, horizon, horizon + learner_no, 1, -3, -2, 20, 30
               from learner, generate_series(1, 2) as horizon where user_id in ('u00', 'u01')""",
            [run_id],
        )
    number = row_of(school, "select learner_no from learner where user_id = 'u00'")[0]
    report = reports(school, "u00")[0]
    ahead = [(TODAY + timedelta(days=1 + 7 * week), 1.0 + week + number) for week in (0, 1)]
    assert trend_of(report).forecast == tuple(ForecastPoint(week, mean, -2, 20, -3, 30) for week, mean in ahead)
    assert "forecast-1" in report.sources
    assert "forecast-0" not in report.sources
    assert trend_of(reports(school, "three")[0]).forecast_absent is Absent.TOO_FEW_WEEKS
    hidden = reports(school, "u00", options=LEARNER)[0]
    assert (trend_of(hidden).forecast, trend_of(hidden).forecast_absent) == ((), Absent.NOT_ALLOWED)
    assert "forecast-1" not in hidden.sources
    school.rollback()


def test_a_line_of_the_week_before_is_led_on_and_an_older_one_is_not_told(school: Connection) -> None:
    now = trend_of(reports(school, "u05")[0]).line
    moved = "update run set as_of = as_of - 7 where job = 'fit_bayesian_growth'"
    school.execute(moved)
    before = trend_of(reports(school, "u05")[0]).line
    assert isinstance(now, GrowthLine)
    assert isinstance(before, GrowthLine)
    assert before.level.value == pytest.approx(now.level.value + now.slope.value)
    assert before.level.se > now.level.se
    school.execute(moved)
    report = reports(school, "u05")[0]
    assert trend_of(report).line is Absent.NOT_FITTED
    assert report.headline.change is Change.UNKNOWN
    assert not any(run_id.startswith("fit_bayesian") for run_id in report.sources)
    school.rollback()


def test_a_learner_is_in_the_class_of_the_newest_session(school: Connection) -> None:
    school.execute(
        "insert into session (session_id, user_id, classroom_id, started_at) values ('moved', 'u01', 'small', %s)",
        [MONDAY + timedelta(days=6)],
    )
    assert [report.reader.class_name for report in reports(school, "u00", "u01")] == ["Class 3-1", "small"]
    school.rollback()


def test_a_group_of_nine_has_no_percentile(school: Connection) -> None:
    school.execute(
        "delete from ability using learner where ability.learner_no = learner.learner_no and user_id > 'u08'"
    )
    for user in ("u00", "u08"):
        standing = reports(school, user)[0].standing
        assert isinstance(standing, Standing)
        assert standing.percentile is Absent.GROUP_TOO_SMALL
    school.rollback()


def test_a_past_week_ends_with_itself(school: Connection) -> None:
    for table in ("run", "item_param", "ability", "topic_ability"):
        school.execute(f"update {table} set as_of = as_of - 7")
    report = reports(school, "u17", week=MONDAY - timedelta(days=7))[0]
    assert trend_of(report).measures[-1].week == MONDAY - timedelta(days=7)
    assert len(trend_of(report).measures) == 5
    assert report.headline.n_answers == 25
    assert isinstance(report.standing, Standing)
    school.rollback()
