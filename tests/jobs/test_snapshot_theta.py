from concurrent.futures import ThreadPoolExecutor
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
from psycopg.types.json import Jsonb
from thetas import TOPICS, general, snapshot, taught, topics

from thetaline import irt
from thetaline.errors import JobError
from thetaline.jobs.abilities import snapshot as snapshot_job
from thetaline.jobs.abilities.estimates import ItemsRetractedError
from thetaline.jobs.calibration.publication import retract
from waiting import wait_until, waits_for_a_lock


@pytest.fixture
def school(conn: Connection) -> dict[int, dict[str, float]]:
    return taught(conn)


def test_general_theta_is_the_eap_of_the_windows_first_answers(conn: Connection, database: str, school: dict) -> None:
    write_answers(
        conn, [Answer("u00", 1, answer, days_ago=0, hour=13 + hour) for hour, answer in enumerate((True, False, True))]
    )
    snapshot(conn, database)
    start = TODAY - timedelta(days=29)
    rows = conn.execute(
        "select distinct on (user_id, item_id) user_id, item_id::int, correct::int from attempt"
        " where completed_at >= %s order by user_id, item_id, completed_at",
        (start,),
    ).fetchall()
    users, items, right = (np.array(column) for column in zip(*rows, strict=True))
    ids = sorted(school)
    bank = irt.Items(ids=ids, model="2PL", a=[school[i]["a"] for i in ids], b=[school[i]["b"] for i in ids])
    scores = irt.score(irt.Responses.from_long(users, items, right), bank, method="EAP", prior=(0.0, 1.0))
    expected = dict(zip(scores.ids, zip(scores.theta, scores.se, strict=True), strict=True))
    found = general(conn)
    assert set(found) == set(expected)
    for user, value in expected.items():
        assert found[user] == pytest.approx(value, abs=1e-6)


def test_topic_theta_is_an_estimate_of_its_own_with_more_error(conn: Connection, database: str, school: dict) -> None:
    snapshot(conn, database)
    of_topic, of_all = topics(conn), general(conn)
    assert set(of_topic) == {(user, topic) for user in of_all for topic in TOPICS}
    for (user, _), (theta, se) in of_topic.items():
        assert theta != of_all[user][0]
        assert se > of_all[user][1]


def test_the_fewer_answers_of_a_topic_the_more_it_shrinks_to_the_general_one(conn: Connection, database: str) -> None:
    params = {item: {"a": 1.0, "b": 0.0} for item in range(1, 60)}
    few = [Answer("few", item, True, topic="logic") for item in (1, 2)]
    many = [Answer("many", item, True, topic="logic") for item in range(1, 13)]
    rest = [Answer(user, item, item % 2 == 0, topic="algebra") for user in ("few", "many") for item in range(20, 50)]
    write_answers(conn, [*few, *many, *rest])
    publish_items(conn, params)
    snapshot(conn, database)
    of_topic = topics(conn)
    gap = {user: of_topic[user, "logic"][0] - of_topic[user, "algebra"][0] for user in ("few", "many")}
    assert 0 < gap["few"] < gap["many"]


def test_answers_outside_the_window_and_unanswered_questions_do_not_count(conn: Connection, database: str) -> None:
    params = {item: {"a": 1.0, "b": 0.0} for item in range(1, 9)}
    inside = [Answer("ada", item, item < 3, days_ago=29) for item in (1, 2, 3, 4)]
    write_answers(conn, [*inside, Answer("ada", 5, False, days_ago=30), Answer("ada", 6, None), Answer("bob", 1, None)])
    publish_items(conn, params)
    summary = snapshot(conn, database)
    assert summary["n_learners"] == 1
    assert conn.execute("select n_answers from ability").fetchall() == [(4,)]
    assert general(conn)["ada"][0] == pytest.approx(0.0, abs=1e-6)


def test_a_snapshot_of_the_same_answers_adds_no_rows_and_asked_for_gives_the_same_ones(
    conn: Connection, database: str, school: dict
) -> None:
    first = snapshot(conn, database)
    values = general(conn), topics(conn)
    again = snapshot(conn, database)
    assert (first["n_learners_written"], again["n_learners_written"], again["n_topic_estimates_written"]) == (12, 0, 0)
    assert snapshot(conn, database, everything=True)["n_learners_written"] == 12
    assert (general(conn), topics(conn)) == values


def test_history_is_kept_and_a_past_day_can_be_made_again(conn: Connection, database: str, school: dict) -> None:
    past = TODAY - timedelta(days=10)
    snapshot(conn, database, as_of=past)
    then = general(conn)
    snapshot(conn, database)
    now = general(conn)
    assert now != then
    snapshot(conn, database, as_of=past, everything=True)
    made_again = conn.execute(
        "select theta from ability where as_of = %s and version = 1 order by learner_no, run_id", (past,)
    ).fetchall()
    assert made_again[::2] == made_again[1::2]
    assert general(conn) == now


def test_a_past_day_never_sees_a_later_calibration(conn: Connection, database: str, school: dict) -> None:
    """Not even through an item that was published later for the first time."""
    past = TODAY + timedelta(days=1)
    before = snapshot(conn, database, as_of=past, now=NOW + timedelta(days=1))
    found = general(conn)
    later = {item: {"a": 2 * one["a"], "b": one["b"] + 1} for item, one in school.items()}
    publish_items(conn, {**later, 99: {"a": 1.0, "b": 0.0}}, as_of=past + timedelta(days=4), run_id="fit-later")
    again = snapshot(conn, database, as_of=past, now=NOW + timedelta(days=9), everything=True)
    assert again["items_run"] == before["items_run"] == "fit-test"
    assert again["topic_sd"] == before["topic_sd"]
    assert general(conn) == found


def test_a_day_before_the_first_publication_stands_on_the_first_items_not_on_later_ones(
    conn: Connection, database: str, school: dict
) -> None:
    publish_items(conn, {99: {"a": 1.0, "b": 0.0}}, as_of=TODAY + timedelta(days=1), run_id="fit-later")
    write_answers(conn, [Answer("ada", 99, True, days_ago=5), Answer("ada", 1, True, days_ago=5)])
    summary = snapshot(conn, database, as_of=TODAY - timedelta(days=4))
    assert summary["items_run"] == "fit-test"
    assert conn.execute(
        "select n_answers from ability join learner using (learner_no) where user_id = 'ada'"
    ).fetchall() == [(1,)]


def test_an_answer_that_moves_to_another_topic_moves_the_topics(conn: Connection, database: str, school: dict) -> None:
    write_answers(conn, [Answer("ada", 1, True, topic="algebra"), Answer("ada", 2, True, topic="logic")])
    snapshot(conn, database)
    conn.execute(
        "update exam_results set result_json = jsonb_set(result_json, '{questions,0,topic}', '\"geometry\"')"
        " where user_id = 'ada'"
    )
    conn.commit()
    assert snapshot(conn, database, now=NOW + timedelta(hours=1))["n_learners_written"] == 1
    assert ("ada", "geometry") in topics(conn)


def test_a_calibration_of_the_same_day_does_not_outrank_the_days_snapshot(
    conn: Connection, database: str, school: dict
) -> None:
    snapshot(conn, database)
    found = general(conn)
    publish_items(conn, school, run_id="fit-again")
    conn.execute("update calibration set metrics = %s", (Jsonb({"population": {"mean": 0.0, "sd": 1.0}}),))
    conn.execute(
        "insert into ability (run_id, learner_no, as_of, fitted_at, theta, se, n_answers, model)"
        " select 'fit-again', learner_no, %s, %s, -2.0, 0.5, 9, '2PL' from learner",
        (TODAY, NOW + timedelta(hours=1)),
    )
    conn.commit()
    snapshot(conn, database, now=NOW + timedelta(hours=2))
    assert general(conn) == found


def test_the_order_in_which_answers_arrive_does_not_matter(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(5)
    params = bank_params(30, rng)
    answers = simulated({"ada": 0.4}, params, range(1, 31), rng, days_ago=(0, 1, 2), topics=TOPICS)
    twin = [Answer("bob", a.item, a.correct, a.days_ago, a.topic, a.seconds) for a in answers[::-1]]
    write_answers(conn, [*answers, *twin])
    publish_items(conn, params)
    snapshot(conn, database)
    found, by_topic = general(conn), topics(conn)
    assert found["ada"] == pytest.approx(found["bob"], abs=1e-10)
    for topic in TOPICS:
        assert by_topic["ada", topic] == pytest.approx(by_topic["bob", topic], abs=1e-10)


def test_without_published_items_the_job_says_what_to_do(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer("ada", 1, True)])
    with pytest.raises(JobError, match="run `thetaline calibrate` first"):
        snapshot(conn, database)
    conn.rollback()
    assert conn.execute("select state from run where job = 'snapshot_theta'").fetchall() == [("failed",)]


def test_a_dry_run_counts_and_writes_nothing(conn: Connection, database: str, school: dict) -> None:
    dry = snapshot(conn, database, dry_run=True)
    assert dry["n_learners_written"] == 12
    assert conn.execute("select count(*) from ability").fetchone() == (0,)
    assert conn.execute("select count(*) from run where job = 'snapshot_theta'").fetchone() == (0,)


def test_the_population_is_that_of_the_calibration(conn: Connection, database: str) -> None:
    """On a scale linked with A = 2, B = 5 a learner without information stands at 5, not at 0."""
    params = {item: {"a": 0.01, "b": 5.0} for item in range(1, 9)}
    write_answers(conn, [Answer("ada", 1, True)])
    publish_items(conn, params)
    conn.execute(
        "insert into ability (run_id, learner_no, as_of, theta, se, n_answers, model)"
        " select 'fit-test', learner_no, %s, 5.0, 2.0, 9, '2PL' from learner",
        (TODAY - timedelta(days=1),),
    )
    conn.commit()
    summary = snapshot(conn, database)
    assert summary["population"] == {"mean": 5.0, "sd": 2.0}
    assert general(conn)["ada"] == pytest.approx((5.0, 2.0), abs=0.03)


def test_items_that_are_taken_back_while_the_night_reads_leave_no_snapshot(
    conn: Connection, database: str, school: dict
) -> None:
    with connected(database) as other, ThreadPoolExecutor(1) as thread:
        conn.execute("lock table answer in access exclusive mode")  # the bank is loaded, the answers have to wait
        night = thread.submit(snapshot_job.work, context(other, database, "snapshot_theta"))
        wait_until(waits_for_a_lock(database))
        retract(conn, "fit-test", reason="wrong", now=NOW)
        conn.commit()
        with pytest.raises(ItemsRetractedError, match="fit-test was retracted while θ was estimated on it"):
            night.result()
        other.rollback()
    assert conn.execute("select count(*) from ability").fetchone() == (0,)
    assert conn.execute("select state from run where job = 'snapshot_theta'").fetchall() == [("failed",)]
