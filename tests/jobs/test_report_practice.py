"""What a weekly report says of a week's answers: topics, items, KPIs, goals, effort, and what to do next."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from learners import TODAY, Connection
from report_school import MONDAY, TEACHER, TOPICS, reports, row_of, school_of

from thetaline.jobs.abilities.answers import LearnerAnswers
from thetaline.jobs.reports.answers import ChunkAnswers
from thetaline.learning.attempts import Attempts
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.learning.windows import Window
from thetaline.reports.value import (
    Absent,
    Change,
    Effort,
    GoalVerdict,
    ItemMap,
    Trend,
)


@pytest.fixture(scope="module")
def school(module_database: str) -> Iterator[Connection]:
    with school_of(module_database) as conn:
        yield conn


def test_the_week_s_practice_of_a_topic_is_what_was_answered(school: Connection) -> None:
    query = """select topic_id, count(*), count(*) filter (where correct) from attempt
               where user_id = 'u17' and started_at >= %s group by 1"""
    stored = {topic: (n, right) for topic, n, right in school.execute(query, [MONDAY])}
    found = reports(school, "u17")[0].topics
    assert {one.topic_id: (one.attempts, one.correct) for one in found} == stored
    thetas = dict(school.execute("select topic_id, array[theta, se] from student_topic_theta where user_id = 'u17'"))
    for one in found:
        assert one.theta is not None
        assert [one.theta.value, one.theta.se] == thetas[one.topic_id]
        assert one.accuracy is not None
        assert one.accuracy.low < one.accuracy.value == one.correct / one.attempts < one.accuracy.high


def test_features_of_the_days_add_up_to_the_week(school: Connection) -> None:
    days = school.execute(
        "select count(*) from attempt where user_id = 'u17' and started_at >= %s and correct is not null", [MONDAY]
    ).fetchone()
    report = reports(school, "u17")[0]
    assert (sum(one.attempts for one in report.topics),) == days == (report.headline.n_answers,)


def test_the_item_map_has_the_week_s_items_with_their_published_difficulty(school: Connection) -> None:
    found = reports(school, "u17")[0].item_map
    assert isinstance(found, ItemMap)
    query = """select attempt.item_id, cast(params ->> 'b' as float8), correct from attempt
               join mirt_item_params using (item_id) where user_id = 'u17' and started_at >= %s"""
    stored = sorted(school.execute(query, [MONDAY]).fetchall())
    assert sorted((one.item, one.difficulty, one.correct) for one in found.items) == stored
    assert [one.difficulty for one in found.items] == sorted(one.difficulty for one in found.items)
    assert found.easier + found.matched + found.harder == 25
    theta, se = row_of(school, "select theta, se from mirt_ability where user_id = 'u17'")
    a = row_of(
        school, "select cast(params ->> 'a' as float8) from mirt_item_params where item_id = %s", found.items[0].item
    )[0]
    draws = theta + se * np.random.default_rng(1).normal(size=200_000)
    chance = np.mean(1 / (1 + np.exp(-a * (draws - found.items[0].difficulty))))
    assert found.items[0].expected == pytest.approx(chance, abs=0.002)


def test_kpis_are_the_week_s_and_none_is_a_risk(school: Connection) -> None:
    stored = row_of(school, "select kpis from weekly_kpi where user_id = 'u00' and week_start = %s", MONDAY)[0]
    found = reports(school, "u00")[0].kpis
    assert {one.key: one.value for one in found} == {key: stored[key] for key in ("I_t", "E_t", "A_t", "P")}
    told = {1: Change.UP, 0: Change.NO_CLEAR_CHANGE, -1: Change.DOWN}
    assert found[0].change is told[stored["reliable_change"]]
    assert all(one.before is None for one in found)


def test_a_goal_has_its_verdict_and_the_stored_probability(school: Connection) -> None:
    easy, dated = reports(school, "u00")[0].goals
    assert (easy.topic_id, easy.target, easy.verdict) == ("geometry", -9.0, GoalVerdict.MET)
    assert easy.probability is Absent.NOT_FITTED  # without a date
    stored = row_of(school, "select probability, ever_probability from growth_goal where target_date = '2025-11-23'")
    assert (dated.probability, dated.ever_probability) == stored
    assert dated.verdict is GoalVerdict.NOT_MET
    far = reports(school, "u02")[0].goals[0]
    assert (far.target, far.probability) == (0.0, Absent.TOO_UNCERTAIN)
    trend = reports(school, "u00")[0].trend
    assert isinstance(trend, Trend)
    assert trend.target == -9.0


def test_who_has_no_goal_is_told_no_chance_of_one(school: Connection) -> None:
    stored = row_of(school, "select kpis from weekly_kpi where user_id = 'u01' and week_start = %s", MONDAY)[0]
    report = reports(school, "u01")[0]
    assert "P" in stored  # of the default target
    assert not report.goals
    assert {one.key for one in report.kpis} == stored.keys() & {"I_t", "E_t", "R_t", "A_t"}


@pytest.mark.parametrize("target", ["NaN", "Infinity", "-Infinity", "1e300"])
def test_a_target_that_no_level_can_have_is_no_goal(school: Connection, target: str) -> None:
    school.execute("insert into interest_goal values ('u01', 'algebra', %s, 1, '2025-11-23')", [target])
    report = reports(school, "u01")[0]
    school.rollback()
    assert [one.verdict for one in report.goals] == [Absent.NO_GOAL]
    assert isinstance(report.trend, Trend)
    assert report.trend.target is None
    assert "P" not in {one.key for one in report.kpis}


def test_rapid_answers_are_counted_and_theta_is_told_without_them(school: Connection) -> None:
    effort = reports(school, "hasty")[0].effort
    assert isinstance(effort, Effort)
    assert (effort.n_timed, effort.n_rapid, effort.differs) == (25, 12, True)
    stored = row_of(school, "select theta, se from weekly_theta where user_id = 'hasty'")
    assert effort.theta is not None
    assert (effort.theta.value, effort.theta.se) == pytest.approx(stored)
    calm = reports(school, "u17")[0].effort
    assert isinstance(calm, Effort)
    assert (calm.n_timed, calm.n_rapid, calm.theta, calm.differs) == (25, 0, None, False)
    assert reports(school, "three")[0].effort is Absent.NO_TIMES


def test_no_suggested_item_is_out_of_use_or_was_seen_in_two_weeks(school: Connection) -> None:
    for report in reports(school):
        items = [int(one.item) for one in report.next_items]
        assert not {*range(101, 111), *range(121, 131)} & set(items)
        query = "select item_id::int from attempt where user_id = %s and started_at >= %s"
        seen = school.execute(query, (report.reader.user_id, TODAY - timedelta(days=13))).fetchall()
        assert not {number for (number,) in seen} & set(items)
        assert all(0.55 <= one.expected <= 0.85 for one in report.next_items)
        assert all(0.75 <= one.expected <= 0.85 for one in report.examples)
        assert not {one.item for one in report.next_items} & {one.item for one in report.examples}
    assert any(int(one.item) in range(111, 121) for report in reports(school) for one in report.next_items)


def test_examples_have_the_question_s_text(school: Connection) -> None:
    found = reports(school, "u25")[0].examples
    assert [one.content for one in found] == [f"Question {one.item}" for one in found]
    assert {one.topic_id for one in found} == set(TOPICS)


def test_an_item_s_own_calibration_is_among_the_sources_and_a_held_one_never(school: Connection) -> None:
    before = reports(school, "u17")[0]
    for run_id, state, items in (("fit-one-item", "published", "item_id = '5'"), ("fit-held", "held", "true")):
        school.execute(
            """insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)
               select %s, job, as_of, %s, started_at, finished_at, host, pid from run where run_id = 'fit-test'""",
            [run_id, state],
        )
        school.execute(
            f"""insert into item_param (run_id, item_no, as_of, model, params)
                select %s, item_no, as_of, model, '{{"a": 1.0, "b": 9.0}}' from item_param join item using (item_no)
                where run_id = 'fit-test' and {items}""",
            [run_id],
        )
    school.execute("insert into calibration (run_id, model_spec) values ('fit-one-item', '{}'), ('fit-held', '{}')")
    report = reports(school, "u17")[0]
    assert isinstance(before.item_map, ItemMap)
    assert isinstance(report.item_map, ItemMap)
    moved = {one.item for one in report.item_map.items if one.difficulty == 9.0}
    assert moved == {"5"}
    assert set(report.sources) - set(before.sources) == {"fit-one-item"}
    assert "fit-test" in report.sources
    school.rollback()


def test_answers_without_a_topic_are_on_the_map_and_in_no_topic(school: Connection) -> None:
    school.execute("update answer set topic_no = null from learner where answer.learner_no = learner.learner_no")
    school.execute("update question set topic_id = null")
    report = reports(school, "u17")[0]
    assert report.topics == ()
    assert isinstance(report.item_map, ItemMap)
    assert {one.topic_id for one in report.item_map.items} == {None}
    assert len(report.next_items) == 5
    assert report.next_topics == ()
    school.rollback()


def test_weeks_are_those_of_the_school_s_time_zone(school: Connection) -> None:
    moved = """update answer set answered_at = %s from learner
               where answer.learner_no = learner.learner_no and user_id = 'three'"""
    school.execute(moved, [datetime(2025, 11, 2, 16, 0, tzinfo=UTC)])  # Monday, 1 a.m., in Seoul
    seoul = replace(TEACHER, calendar=SchoolCalendar(ZoneInfo("Asia/Seoul")))
    assert reports(school, "three")[0].headline.n_answers == 3
    assert reports(school, "three", options=seoul)[0].headline.n_answers == 0
    school.rollback()


def test_an_item_counts_as_missed_only_while_its_last_answer_is_wrong() -> None:
    n = 5  # items 1 to 3: wrong then right, right then wrong, wrong long ago
    attempts = Attempts(
        learner=np.zeros(n, np.int32),
        item=np.array([3, 1, 2, 1, 2], np.int32),
        correct=np.array([0, 0, 1, 1, 0], np.int8),
        day=np.array([1, 20, 21, 22, 23], np.int32),
        time_ms=np.full(n, -1, np.int32),
        hint=np.full(n, -1, np.int8),
        session=np.arange(n, dtype=np.int32),
        n_learners=1,
    )
    of_all = LearnerAnswers(np.array([7], np.int32), np.ones(n, np.int32), attempts)
    month = Window(10, 38)
    answers = ChunkAnswers(of_all, week=Window(31, 38), theta_window=month, month=month, seen_window=Window(24, 38))
    assert answers.missed().attempts.item.tolist() == [2]
