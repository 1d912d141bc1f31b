from datetime import timedelta

import numpy as np
import pytest
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

from thetaline.errors import InputError
from thetaline.jobs.abilities import snapshot as snapshot_job
from thetaline.jobs.features import backfill as backfill_job
from thetaline.jobs.features.topic_daily import (
    FeatureCounts,
    backfill_features_topic_daily,
    backfill_user_topic_range,
    load_user_topic_theta,
)

WEEK_AGO = TODAY - timedelta(days=6)


@pytest.fixture
def conn(database: str) -> Connection:
    with connected(database) as conn:
        yield conn


def snapshot(conn: Connection, database: str, **options: object) -> None:
    snapshot_job.work(context(conn, database, "snapshot_theta", **options))
    conn.commit()


def features(conn: Connection, columns: str) -> list[tuple]:
    return conn.execute(f"select {columns} from features_topic_daily order by user_id, topic_id, date").fetchall()


def backfill(conn: Connection, **options: object) -> FeatureCounts:
    counts = backfill_features_topic_daily(conn, **{"start": WEEK_AGO, "end": TODAY, "now": NOW, **options})
    conn.commit()
    return counts


def test_a_day_is_counted_per_topic_and_unanswered_questions_are_missing(conn: Connection) -> None:
    write_answers(
        conn,
        [
            Answer("ada", 1, True, seconds=10, hint=True),
            Answer("ada", 2, False, seconds=30, hint=False),
            Answer("ada", 3, True, seconds=90),
            Answer("ada", 4, None, seconds=500),
            Answer("ada", 5, True, topic="geometry"),
            Answer("ada", 6, True, days_ago=1),
            Answer("bob", 1, None),
            Answer("bob", 2, True, topic=None),
            Answer("ada", 7, True, days_ago=7),  # before the range
        ],
    )
    assert backfill(conn) == FeatureCounts(days=3, vanished=0, idle=0)
    yesterday = TODAY - timedelta(days=1)
    assert features(
        conn, "user_id, topic_id, date, attempts, correct, avg_time_ms, rt_median, hints, theta_estimate"
    ) == [
        ("ada", "algebra", yesterday, 1, 1, None, None, None, None),
        ("ada", "algebra", TODAY, 3, 2, pytest.approx(130_000 / 3), 30_000.0, 1, None),
        ("ada", "geometry", TODAY, 1, 1, None, None, None, None),
    ]


def test_features_take_the_topics_own_theta(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(1)
    params = bank_params(40, rng)
    write_answers(conn, simulated({"ada": 0.5}, params, range(1, 41), rng, topics=("algebra", "geometry")))
    publish_items(conn, params)
    snapshot(conn, database)
    backfill(conn)
    topics = dict(conn.execute("select topic_id, theta from student_topic_theta where user_id = 'ada'").fetchall())
    general = conn.execute("select theta from mirt_ability where user_id = 'ada'").fetchone()[0]
    rows = features(conn, "topic_id, theta_estimate, theta_sd")
    assert {topic: theta for topic, theta, _ in rows} == topics
    assert len(set(topics.values()) | {general}) == 3
    assert load_user_topic_theta(conn, ["ada"], as_of=TODAY)["ada", "algebra"].source == "topic"


def test_a_topic_without_theta_falls_back_on_the_general_one(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(2)
    params = bank_params(20, rng)
    answers = simulated({"ada": 0.5}, params, range(1, 21), rng)
    write_answers(conn, [*answers, Answer("ada", 900, True, topic="new")])  # item 900 is not calibrated
    publish_items(conn, params)
    snapshot(conn, database)
    backfill(conn)
    theta, se = conn.execute("select theta, se from mirt_ability where user_id = 'ada'").fetchone()
    rows = {topic: found for topic, *found in features(conn, "topic_id, theta_estimate, theta_sd")}
    assert rows["new"] == [theta, se]
    assert rows["algebra"] != [theta, se]
    assert load_user_topic_theta(conn, ["ada"], as_of=TODAY, topic_ids=["new"]) == {
        ("ada", "new"): (theta, se, "general")
    }
    assert load_user_topic_theta(conn, ["ada"], as_of=TODAY, topic_ids=["never answered by anybody"]) == {
        ("ada", "never answered by anybody"): (theta, se, "general")
    }


def test_theta_is_of_that_day_or_earlier_never_later(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(3)
    params = bank_params(20, rng)
    write_answers(conn, simulated({"ada": 0.5}, params, range(1, 21), rng, days_ago=(0, 1, 2, 3)))
    publish_items(conn, params)
    snapshot(conn, database, as_of=TODAY - timedelta(days=2))
    snapshot(conn, database, as_of=TODAY)
    backfill(conn)
    by_day = dict(features(conn, "date, theta_estimate"))
    assert by_day[TODAY - timedelta(days=3)] is None
    assert by_day[TODAY - timedelta(days=2)] == by_day[TODAY - timedelta(days=1)] != by_day[TODAY]


def test_improvement_is_the_gain_over_a_week_in_the_same_kind_of_theta(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(4)
    params = bank_params(30, rng)
    write_answers(conn, simulated({"ada": 0.5}, params, range(1, 31), rng, days_ago=(0, 7)))
    publish_items(conn, params)
    snapshot(conn, database, as_of=TODAY - timedelta(days=7))
    snapshot(conn, database, as_of=TODAY)
    backfill(conn, start=TODAY - timedelta(days=7))
    (_, before, none), (_, now, gain) = features(conn, "date, theta_estimate, improvement")
    assert none is None
    assert gain == pytest.approx(now - before)


def test_an_estimate_is_not_compared_with_itself(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(4)
    params = bank_params(30, rng)
    write_answers(conn, simulated({"ada": 0.5}, params, range(1, 31), rng, days_ago=(0, 9)))
    publish_items(conn, params)
    snapshot(conn, database, as_of=TODAY - timedelta(days=9))
    backfill(conn)  # the night of today has not made its snapshot
    assert features(conn, "theta_estimate is null, improvement") == [(False, None)]
    snapshot(conn, database)
    backfill(conn)
    assert features(conn, "improvement <> 0") == [(True,)]


def test_a_topics_first_theta_is_no_improvement_over_the_general_one(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(9)
    params = bank_params(30, rng)
    write_answers(conn, simulated({"ada": 0.5}, params, range(1, 16), rng, days_ago=(7,), topics=("old",)))
    write_answers(conn, simulated({"ada": 0.5}, params, range(16, 31), rng, topics=("new",)))
    publish_items(conn, params)
    snapshot(conn, database, as_of=TODAY - timedelta(days=7))
    snapshot(conn, database, as_of=TODAY)
    backfill(conn)
    assert load_user_topic_theta(conn, ["ada"], as_of=TODAY - timedelta(days=7))["ada", "new"].source == "general"
    assert features(conn, "topic_id, theta_estimate is null, improvement") == [("new", False, None)]


def test_a_second_run_gives_the_same_rows(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(5)
    params = bank_params(20, rng)
    write_answers(conn, simulated({"ada": 0.5, "bob": -1.0}, params, range(1, 21), rng, days_ago=(0, 1, 5)))
    publish_items(conn, params)
    snapshot(conn, database)
    first = backfill(conn)
    rows = features(conn, "*")
    assert backfill(conn, now=NOW + timedelta(hours=1)) == first
    assert features(conn, "*") == rows  # `computed_at` too: what says the same is not written again


def test_a_later_run_without_theta_never_erases_theta(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(6)
    params = bank_params(20, rng)
    write_answers(conn, simulated({"ada": 0.5}, params, range(1, 21), rng))
    publish_items(conn, params)
    snapshot(conn, database)
    backfill(conn)
    known = features(conn, "theta_estimate, theta_sd")
    write_answers(conn, [Answer("ada", 777, True, hour=15)])
    backfill(conn, with_theta=False)
    assert features(conn, "attempts") == [(21,)]
    assert features(conn, "theta_estimate, theta_sd") == known
    assert known[0][0] is not None


def test_a_day_whose_answers_are_gone_goes_too(conn: Connection) -> None:
    write_answers(conn, [Answer("ada", 1, True), Answer("ada", 2, True, days_ago=1), Answer("bob", 1, True)])
    backfill(conn)
    conn.execute("delete from exam_results where user_id = 'ada' and created_at = %s", (NOW,))
    assert backfill(conn) == FeatureCounts(days=2, vanished=1, idle=0)


def test_days_without_activity_come_by_option_and_from_the_first_day_on(conn: Connection) -> None:
    write_answers(conn, [Answer("ada", 1, True, days_ago=3), Answer("ada", 2, True)])
    assert backfill(conn).idle == 0
    assert backfill(conn, idle_days=True).idle == 2
    days = [(TODAY - timedelta(days=back)) for back in (3, 2, 1, 0)]
    assert features(conn, "date, attempts") == list(zip(days, (1, 0, 0, 1), strict=True))
    assert backfill(conn, idle_days=True) == FeatureCounts(days=2, vanished=0, idle=2)


def test_one_learners_range_leaves_the_others_alone(conn: Connection) -> None:
    write_answers(conn, [Answer("ada", 1, True), Answer("bob", 1, True)])
    counts = backfill_user_topic_range(conn, "bob", start=WEEK_AGO, end=TODAY, now=NOW)
    assert counts == FeatureCounts(days=1, vanished=0, idle=0)
    assert features(conn, "user_id") == [("bob",)]


def test_an_unknown_learner_and_a_reversed_range_are_refused(conn: Connection) -> None:
    with pytest.raises(InputError, match="no answers of user 'eve' are stored"):
        backfill_user_topic_range(conn, "eve", start=WEEK_AGO, end=TODAY, now=NOW)
    with pytest.raises(InputError, match="ends on 2025-10-27, before it starts on 2025-11-02"):
        backfill_features_topic_daily(conn, start=TODAY, end=WEEK_AGO, now=NOW)


def test_the_job_refreshes_the_lookback_and_a_dry_run_writes_nothing(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer("ada", item, True, days_ago=item) for item in range(10)])
    dry = backfill_job.work(context(conn, database, "backfill_features", dry_run=True, agg_lookback_days=3))
    conn.rollback()
    assert dry["rows"] == 3
    assert features(conn, "1") == []
    done = backfill_job.work(context(conn, database, "backfill_features", agg_lookback_days=3))
    assert {**done, "run_id": None} == dry
    assert len(features(conn, "1")) == 3
    assert conn.execute("select state from run where job = 'backfill_features'").fetchall() == [("done",)]


def test_acceptance_query_of_features_gives_theta(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(8)
    params = bank_params(20, rng)
    write_answers(conn, simulated({f"u{n}": 0.3 * n for n in range(5)}, params, range(1, 21), rng))
    publish_items(conn, params)
    snapshot(conn, database)
    backfill(conn)
    query = (
        "SELECT COUNT(*) AS count_with_theta, AVG(theta_estimate) AS avg_theta, STDDEV(theta_estimate) AS sd_theta"
        " FROM features_topic_daily WHERE theta_estimate IS NOT NULL AND date >= %s - INTERVAL '7 days'"
    )
    count, mean, sd = conn.execute(query, (NOW,)).fetchone()
    assert count == 5
    assert -3 < mean < 3
    assert sd > 0


def test_the_callers_planner_settings_are_left_as_they_were(conn: Connection) -> None:
    write_answers(conn, [Answer("ada", 1, True)])
    for setting in ("off", "on"):
        conn.execute(f"set local enable_memoize = {setting}")
        backfill_features_topic_daily(conn, start=WEEK_AGO, end=TODAY, now=NOW)
        assert conn.execute("show enable_memoize").fetchone() == (setting,)
