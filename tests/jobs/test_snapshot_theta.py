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

from thetaline import irt
from thetaline.errors import InputError, JobError
from thetaline.jobs import snapshot_theta, update_theta
from thetaline.jobs.update_theta import load_scorer, update_user

TOPICS = ("algebra", "geometry", "logic")


@pytest.fixture
def conn(database: str) -> Connection:
    with connected(database) as conn:
        yield conn


@pytest.fixture
def school(conn: Connection) -> dict[int, dict[str, float]]:
    """Twelve learners, 45 items of three topics, answers over 40 days; the published items by id."""
    rng = np.random.default_rng(11)
    params = bank_params(45, rng)
    theta = {f"u{number:02d}": float(value) for number, value in enumerate(rng.normal(0, 1, 12))}
    write_answers(conn, simulated(theta, params, range(1, 46), rng, days_ago=(0, 3, 20, 35), topics=TOPICS))
    publish_items(conn, params)
    return params


def snapshot(conn: Connection, database: str, **options: object) -> dict:
    everything = bool(options.pop("everything", False))
    summary = snapshot_theta.work(context(conn, database, "snapshot_theta", **options), everything=everything)
    conn.commit()
    return dict(summary)


def general(conn: Connection) -> dict[str, tuple[float, float]]:
    return {user: (theta, se) for user, theta, se in conn.execute("select user_id, theta, se from mirt_ability")}


def topics(conn: Connection) -> dict[tuple[str, str], tuple[float, float]]:
    rows = conn.execute("select user_id, topic_id, theta, se from student_topic_theta")
    return {(user, topic): (theta, se) for user, topic, theta, se in rows}


def update(conn: Connection, user: str, now: object = NOW) -> update_theta.ThetaUpdate:
    result = update_user(conn, user, load_scorer(conn, TODAY, lookback_days=30), as_of=TODAY, now=now)
    conn.commit()
    return result


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


def test_an_update_after_a_session_agrees_with_the_night(conn: Connection, database: str, school: dict) -> None:
    snapshot(conn, database)
    write_answers(conn, [Answer("u03", item, True, hour=15, topic="logic") for item in range(1, 46, 7)])
    before = general(conn)["u03"]
    result = update(conn, "u03", NOW + timedelta(hours=1))
    online = general(conn)["u03"], {key: value for key, value in topics(conn).items() if key[0] == "u03"}
    assert (result.theta, result.se) == online[0] != before
    snapshot(conn, database, everything=True, now=NOW + timedelta(hours=2))
    assert conn.execute("select run_id from mirt_ability where user_id = 'u03'").fetchone()[0].startswith("snapshot")
    assert general(conn)["u03"] == pytest.approx(online[0], abs=1e-6)
    for key, value in online[1].items():
        assert topics(conn)[key] == pytest.approx(value, abs=1e-6)


def test_the_same_answers_twice_change_nothing(conn: Connection, database: str, school: dict) -> None:
    snapshot(conn, database)
    write_answers(conn, [Answer("u03", 2, True, hour=15)])
    assert not update(conn, "u01").is_new
    first = update(conn, "u03")
    rows = conn.execute("select count(*) from ability").fetchone()
    second = update(conn, "u03")
    assert (second.theta, second.is_new) == (first.theta, False)
    assert conn.execute("select count(*) from ability").fetchone() == rows
    assert snapshot(conn, database)["n_learners_written"] == 0


def test_a_corrected_answer_moves_theta_though_se_and_number_stay(conn: Connection, database: str) -> None:
    publish_items(conn, {1: {"a": 1.0, "b": 0.0}})
    write_answers(conn, [Answer("ada", 1, True)])
    up = update(conn, "ada")
    conn.execute("update exam_results set result_json = jsonb_set(result_json, '{questions,0,is_correct}', 'false')")
    down = update(conn, "ada", NOW + timedelta(minutes=1))
    assert down.theta == pytest.approx(-(up.theta or 0.0))
    assert down.is_new
    assert general(conn)["ada"] == (down.theta, down.se)


def test_updates_of_a_day_append_under_one_run_and_the_newest_is_current(conn: Connection, school: dict) -> None:
    write_answers(conn, [Answer("ada", 1, True)])
    assert update(conn, "ada").is_new
    write_answers(conn, [Answer("ada", item, True, hour=15) for item in range(2, 9)])
    newest = update(conn, "ada", NOW + timedelta(minutes=5))
    assert conn.execute("select run_id, version from ability order by version").fetchall() == [
        ("update_theta-2025-11-02", 1),
        ("update_theta-2025-11-02", 2),
    ]
    assert general(conn)["ada"] == (newest.theta, newest.se)


def test_a_learner_without_a_scored_answer_has_no_theta(conn: Connection, school: dict) -> None:
    write_answers(conn, [Answer("new", 9999, True)])
    assert update(conn, "new") == update_theta.ThetaUpdate(None, None, 0, {}, is_new=False, run_id=None)


def test_an_update_of_an_unknown_learner_is_refused(conn: Connection, school: dict) -> None:
    with pytest.raises(InputError, match="no answers of user 'nobody' are stored"):
        update(conn, "nobody")


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
