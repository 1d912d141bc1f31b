"""The values of class reports: learners with what comes next, and the class as a whole with its errors."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from learners import Connection
from report_school import LEARNER, MONDAY, TEACHER, row_of, school_of

from thetaline.errors import InputError
from thetaline.jobs.reports.read import class_reports, input_hash, weekly_reports
from thetaline.reports.class_value import ClassReport, NextStep
from thetaline.reports.policy import Policy
from thetaline.reports.value import Absent, Change


@pytest.fixture(scope="module")
def school(module_database: str) -> Iterator[Connection]:
    with school_of(module_database) as conn:
        yield conn


def class_of(conn: Connection, classroom: str) -> ClassReport:
    return next(iter(class_reports(conn, MONDAY, [classroom], options=TEACHER)))


def test_every_class_with_active_learners_has_a_report(school: Connection) -> None:
    found = list(class_reports(school, MONDAY, options=TEACHER))
    assert [(one.classroom_id, one.name, one.n_learners, one.n_active) for one in found] == [
        ("a", "Class 3-1", 20, 20),
        ("small", "small", 3, 3),
    ]


def test_mean_and_spread_are_those_of_the_class_with_errors_removed(school: Connection) -> None:
    found = class_of(school, "a")
    truth = np.linspace(-1, 1, 40)[:20] - np.tile([0.35, 0.0], 10) * 1.5  # at the middle of the window of θ
    assert not isinstance(found.mean, Absent)
    assert not isinstance(found.spread, Absent)
    assert found.mean.low < truth.mean() < found.mean.high
    assert found.spread.low < truth.std(ddof=1) < found.spread.high
    small = class_of(school, "small")
    assert (small.mean, small.spread, small.mean_slope) == (Absent.GROUP_TOO_SMALL,) * 3


def test_the_mean_slope_holds_the_class_s_growth(school: Connection) -> None:
    found = class_of(school, "a").mean_slope
    assert not isinstance(found, Absent)
    assert found.low < 0.175 < found.high
    assert found.low > 0


def test_a_learner_says_the_same_on_the_class_s_page_as_on_its_own(school: Connection) -> None:
    own = {one.reader.user_id: one for one in weekly_reports(school, MONDAY, options=TEACHER)}
    for learner in class_of(school, "a").learners:
        report = own[learner.user_id]
        assert (learner.change, learner.n_answers) == (report.headline.change, report.headline.n_answers)
        assert learner.slope == report.headline.slope
        assert not isinstance(report.standing, Absent)
        assert learner.theta == report.standing.theta


def test_learners_come_by_name_and_each_has_the_step_that_fits(school: Connection) -> None:
    names = {"u00": "Zoe", "u01": "Anna"}
    found = next(iter(class_reports(school, MONDAY, ["a"], options=replace(TEACHER, names=names)))).learners
    assert [one.called for one in found[:2]] == ["Anna", "u02"]
    assert found[-1].called == "Zoe"
    steps = {one.user_id: one.next_step for one in found}
    assert steps["u00"] is NextStep.SUPPORT  # a goal out of reach; u02 has one too
    growing = [one for one in found if one.change is Change.UP and one.user_id not in ("u00", "u02")]
    assert growing
    assert {one.next_step for one in growing} == {NextStep.KEEP_GOING}


def test_topics_add_up_over_the_learners(school: Connection) -> None:
    stored = row_of(
        school,
        """select count(*), count(*) filter (where correct), count(distinct user_id)
           from attempt join session using (user_id)
           where topic_id = 'geometry' and classroom_id = 'a' and attempt.started_at >= %s""",
        MONDAY,
    )
    topic = next(one for one in class_of(school, "a").topics if one.topic_id == "geometry")
    assert (topic.attempts, round(topic.accuracy.value * topic.attempts), topic.n_learners) == stored
    assert topic.difference is not None
    assert topic.difference.low < 0 < topic.difference.high


def test_a_risk_is_shown_where_the_policy_allows_it(school: Connection) -> None:
    risks = {one.user_id: one.risk for one in class_of(school, "a").learners}
    assert risks["u00"] == 0.3
    assert set(risks.values()) == {0.3, None}
    hidden = replace(TEACHER, policy=Policy(show_risk_to_teachers=False))
    found = next(iter(class_reports(school, MONDAY, ["a"], options=hidden)))
    assert {one.risk for one in found.learners} == {None}
    assert not any(run_id.startswith("fit_survival") for run_id in found.sources)


def test_who_is_silent_for_two_school_weeks_is_to_be_talked_to(school: Connection) -> None:
    school.execute("update session set classroom_id = 'small' where user_id = 'u00'")
    school.execute(
        "insert into session (session_id, user_id, classroom_id, started_at) values ('gone', 'gone', 'small', %s)",
        [MONDAY - timedelta(days=30)],
    )
    steps = {one.user_id: one.next_step for one in class_of(school, "small").learners}
    assert steps["gone"] is NextStep.TALK
    assert [user for user, step in steps.items() if step is NextStep.TALK] == ["gone"]
    school.execute(
        "insert into school_calendar values ('test', %s, %s, 'vacation', 'autumn')",
        [MONDAY - timedelta(days=40), MONDAY],
    )
    steps = {one.user_id: one.next_step for one in class_of(school, "small").learners}
    assert steps["gone"] is not NextStep.TALK
    school.rollback()


def test_one_class_alone_has_the_report_that_all_give(school: Connection) -> None:
    of_all = {one.classroom_id: one for one in class_reports(school, MONDAY, options=TEACHER)}
    assert input_hash(class_of(school, "small")) == input_hash(of_all["small"])


def test_other_readers_and_unknown_classes_are_refused(school: Connection) -> None:
    with pytest.raises(InputError, match="a class's page is for its teacher, not for learner"):
        class_reports(school, MONDAY, options=LEARNER)
    with pytest.raises(InputError, match="nobody of class 'b' answered in 12 weeks"):
        class_reports(school, MONDAY, ["b"], options=TEACHER)
