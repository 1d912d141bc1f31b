import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from learners import (
    NOW,
    TODAY,
    Answer,
    Connection,
    as_writer,
    bank_params,
    connected,
    context,
    publish_items,
    simulated,
    write_answers,
)
from scipy.special import ndtr
from scipy.stats import spearmanr

from thetaline import irt
from thetaline.errors import InputError
from thetaline.jobs.abilities import snapshot as snapshot_job
from thetaline.jobs.kpis import compute as compute_job
from thetaline.jobs.kpis.learner_kpis import compute_improvement_index
from thetaline.learning.improvement import improvement_index, precision
from thetaline.learning.windows import monday

RECENT, BEFORE = (0, 6, 13), (14, 20, 27)  # days ago: both edges of the two windows


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    with connected(database) as conn:
        yield conn


def compute(conn: Connection, database: str, users: list[str] | None = None, **options: Any) -> dict[str, Any]:
    summary = compute_job.work(context(conn, database, "compute_daily_kpis", **options), user_ids=users)
    conn.commit()
    return dict(summary)


def kpis(conn: Connection) -> dict[str, dict[str, Any]]:
    rows = conn.execute("select user_id, kpis from weekly_kpi where week_start = %s", (monday(TODAY),))
    return dict(rows.fetchall())


def test_i_t_with_theta_is_the_difference_of_two_wle_on_the_same_items(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(1)
    params = bank_params(40, rng)
    before = simulated({"ada": -0.5}, params, range(1, 21), rng, days_ago=BEFORE)
    after = simulated({"ada": 0.5}, params, range(21, 41), rng, days_ago=RECENT)
    write_answers(conn, [*before, *after, Answer("ada", 1, True, days_ago=28), Answer("ada", 1, None)])
    publish_items(conn, params)

    def wle(answers: list[Answer]) -> tuple[float, float]:
        ids = [answer.item for answer in answers]
        bank = irt.Items(ids=ids, a=[params[i]["a"] for i in ids], b=[params[i]["b"] for i in ids])
        x = irt.Responses.from_matrix([[answer.correct for answer in answers]], items=ids)
        scores = irt.score(x, bank, method="WLE")
        return scores.theta[0], scores.se[0]

    (theta_before, se_before), (theta_after, se_after) = wle(before), wle(after)
    found = compute_improvement_index(conn, ["ada"], as_of=TODAY)["ada"]
    assert found.method == "theta_delta"
    assert found.change == pytest.approx(theta_after - theta_before, abs=1e-6)
    assert found.se == pytest.approx(np.hypot(se_before, se_after), abs=1e-6)
    assert (found.n_recent, found.n_previous) == (20, 20)
    assert found.i_t == pytest.approx(found.change * 20 / 30 * float(precision(np.array(found.se))))


def test_i_t_falls_back_on_accuracy_where_a_window_has_no_theta(conn: Connection, database: str) -> None:
    publish_items(conn, {item: {"a": 1.0, "b": 0.0} for item in (1, 2)})
    before = [Answer("ada", 100 + item, item < 3, days_ago=14) for item in range(6)]  # not calibrated
    after = [Answer("ada", item, item < 8, days_ago=13) for item in range(10)]
    write_answers(conn, before + after)
    found = compute_improvement_index(conn, ["ada"], as_of=TODAY)["ada"]
    assert found.method == "accuracy_delta"
    assert found.change == pytest.approx(0.8 - 0.5)
    assert (found.n_recent, found.n_previous) == (10, 6)
    assert 0 < found.i_t < 0.3 * 10 / 30


def test_accuracy_does_before_anything_is_published(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer("ada", item, True, days_ago=item % 28) for item in range(60)])
    summary = compute(conn, database)
    assert (summary["n_with_i_t"], summary["n_theta_based"]) == (1, 0)
    assert kpis(conn)["ada"]["method"] == "accuracy_delta"
    assert "delta_theta" not in kpis(conn)["ada"]
    assert "P" not in kpis(conn)["ada"]


@pytest.mark.parametrize(
    ("n_recent", "n_before", "there"),
    [(5, 1, True), (4, 30, False), (30, 0, False)],
    ids=["enough", "few", "one window"],
)
def test_without_five_recent_answers_or_an_earlier_window_there_is_no_key(
    conn: Connection, database: str, n_recent: int, n_before: int, there: bool
) -> None:
    publish_items(conn, {item: {"a": 1.0, "b": 0.0} for item in range(1, 61)})
    write_answers(conn, [Answer("ada", item, item % 2 == 0, days_ago=0) for item in range(1, n_recent + 1)])
    write_answers(conn, [Answer("ada", 30 + item, item % 2 == 0, days_ago=14) for item in range(1, n_before + 1)])
    compute(conn, database)
    assert ("I_t" in kpis(conn)["ada"]) == there
    assert ("method" in kpis(conn)["ada"]) == there
    assert bool(compute_improvement_index(conn, ["ada"], as_of=TODAY)) == there


def test_no_answer_counts_in_two_windows(conn: Connection, database: str) -> None:
    answers = [Answer("ada", day, True, days_ago=day) for day in range(40)]
    write_answers(conn, answers)
    found = compute_improvement_index(conn, ["ada"], as_of=TODAY)["ada"]
    assert (found.n_recent, found.n_previous) == (14, 14)


def test_the_kpis_of_a_week_carry_every_indicator(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(3)
    params = bank_params(60, rng)
    answers = simulated({"ada": 0.0, "bob": 1.0}, params, range(1, 61), rng, days_ago=(0, 7, 15, 20, 33, 40, 50))
    missed = Answer("ada", 70, False, days_ago=40)
    write_answers(conn, [*answers, missed, Answer("ada", 70, True, days_ago=2, seconds=5.0, hint=True)])
    publish_items(conn, params)
    conn.execute("insert into interest_goal (user_id, topic_id, target_level) values ('ada', 'algebra', -1.0)")
    snapshot_job.work(context(conn, database, "snapshot_theta"))
    conn.commit()
    compute(conn, database)
    ada, bob = kpis(conn)["ada"], kpis(conn)["bob"]
    (own_keys,) = conn.execute("select kpi_keys_of('compute_daily_kpis')").fetchone()
    assert set(ada) == set(own_keys) - {"delta_accuracy", "delta_accuracy_se"}
    assert ada["P_source"] == "ability"
    assert 0 < ada["A_t"] <= 1
    assert 0 < ada["S"] < 1
    assert 0 < ada["R_t"] <= 1
    assert ada["as_of"] == "2025-11-02"
    goal = conn.execute("select theta, se from student_topic_theta where user_id = 'ada'").fetchone()
    assert ada["P"] == pytest.approx(float(ndtr((goal[0] + 1.0) / goal[1])))
    general = conn.execute("select theta, se from mirt_ability where user_id = 'bob'").fetchone()
    assert bob["P"] == pytest.approx(float(ndtr(general[0] / general[1])))
    assert (bob["theta"], bob["theta_se"]) == pytest.approx(general)


def test_a_goal_in_a_topic_without_answers_is_less_certain(conn: Connection, database: str) -> None:
    params = {item: {"a": 1.0, "b": 0.0} for item in range(1, 31)}
    write_answers(conn, [Answer("ada", item, item % 4 > 0) for item in range(1, 31)])
    publish_items(conn, params)
    conn.execute("insert into interest_goal (user_id, topic_id, target_level) values ('ada', 'unseen', 0.0)")
    snapshot_job.work(context(conn, database, "snapshot_theta"))
    conn.commit()
    compute(conn, database)
    theta, se = conn.execute("select theta, se from mirt_ability").fetchone()
    assert kpis(conn)["ada"]["P"] == pytest.approx(float(ndtr(theta / np.hypot(se, 0.4))))


def test_another_writers_keys_stay_and_our_own_stale_ones_go(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer("ada", item, True) for item in range(3)])
    stale = {"I_t": 0.4, "method": "theta_delta", "E_t": 0.1}
    as_writer(conn, "compute_daily_kpis")
    conn.execute(
        "insert into weekly_kpi (user_id, week_start, kpis) values ('ada', %s, cast(%s as jsonb))",
        (monday(TODAY), json.dumps(stale)),
    )
    as_writer(conn, "another", "growth")
    conn.execute("update weekly_kpi set kpis = kpis || '{\"growth\": 0.7}'")
    conn.commit()
    compute(conn, database)
    found = kpis(conn)["ada"]
    assert found["growth"] == 0.7
    assert not {"I_t", "method", "E_t"} & set(found)


def test_a_second_run_gives_the_same_kpis_and_one_learner_gets_the_same_as_the_cohort(
    conn: Connection, database: str
) -> None:
    rng = np.random.default_rng(6)
    params = bank_params(60, rng)
    theta = {f"u{number}": float(value) for number, value in enumerate(rng.normal(0, 1, 8))}
    write_answers(conn, simulated(theta, params, range(1, 61), rng, days_ago=(0, 3, 9, 16, 25, 30, 48)))
    publish_items(conn, params)
    compute(conn, database)
    first = kpis(conn)
    compute(conn, database)
    assert kpis(conn) == first
    conn.execute("delete from weekly_kpi")
    compute(conn, database, users=["u3", "u5"])
    alone = kpis(conn)
    assert set(alone) == {"u3", "u5"}
    for user, values in alone.items():
        assert values.keys() == first[user].keys()
        numbers = {key: value for key, value in values.items() if isinstance(value, float)}
        assert numbers == pytest.approx({key: first[user][key] for key in numbers}, abs=1e-9)


def test_learners_who_stopped_before_the_lookback_get_no_row(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer("gone", 1, True, days_ago=31), Answer("here", 1, True, days_ago=29)])
    compute(conn, database)
    assert set(kpis(conn)) == {"here"}


def test_a_day_that_is_made_up_does_not_replace_a_later_day_of_its_week(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer("ada", item, True, days_ago=item % 20) for item in range(1, 25)])
    assert compute(conn, database)["n_kept_as_newer"] == 0
    newest = kpis(conn)
    assert compute(conn, database, as_of=TODAY - timedelta(days=3))["n_kept_as_newer"] == 1
    assert kpis(conn) == newest
    assert newest["ada"]["as_of"] == str(TODAY)


def test_the_rerun_of_a_past_day_leaves_those_alone_who_came_after_it(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer("ada", item, True, days_ago=item % 20) for item in range(1, 25)])
    write_answers(conn, [Answer("new", item, True, days_ago=0) for item in range(1, 9)])
    compute(conn, database)
    newest = kpis(conn)
    assert {"A_t", "as_of"} <= newest["new"].keys()
    assert compute(conn, database, as_of=TODAY - timedelta(days=3))["n_vanished"] == 0
    assert kpis(conn) == newest


def test_the_rerun_of_the_same_day_replaces_it(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer("ada", item, True) for item in range(1, 9)])
    compute(conn, database)
    write_answers(conn, [Answer("ada", item, True, days_ago=16) for item in range(20, 29)])
    assert compute(conn, database)["n_kept_as_newer"] == 0
    assert kpis(conn)["ada"]["n_previous"] == 9


def test_a_learner_whose_answers_are_gone_loses_the_days_kpis_and_nothing_else(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer(user, item, True) for user in ("ada", "bob") for item in range(1, 9)])
    compute(conn, database)
    as_writer(conn, "another", "growth")
    conn.execute("update weekly_kpi set kpis = kpis || '{\"growth\": 1}'")
    conn.commit()
    conn.execute("delete from exam_results where user_id = 'ada'")
    conn.commit()
    assert compute(conn, database)["n_vanished"] == 1
    assert kpis(conn)["ada"] == {"growth": 1}
    assert {"growth", "A_t", "as_of"} <= kpis(conn)["bob"].keys()


def test_a_learner_who_is_not_due_has_not_vanished(conn: Connection, database: str) -> None:
    """A week that was asked for stays, for as long as the answers are there."""
    write_answers(conn, [Answer("ada", item, True, days_ago=40) for item in range(1, 9)])
    write_answers(conn, [Answer("bob", 1, True)])
    compute(conn, database, ["ada"])
    asked_for = kpis(conn)["ada"]
    assert compute(conn, database)["n_vanished"] == 0
    assert kpis(conn)["ada"] == asked_for
    assert asked_for["as_of"] == str(TODAY)


def test_an_unknown_learner_is_refused_and_a_dry_run_writes_nothing(conn: Connection, database: str) -> None:
    write_answers(conn, [Answer("ada", item, True) for item in range(6)])
    with pytest.raises(InputError, match="no answers of user 'eve' are stored"):
        compute(conn, database, users=["eve"])
    compute(conn, database, dry_run=True)
    compute(conn, database, users=["ada"], dry_run=True)
    assert conn.execute("select count(*) from weekly_kpi").fetchone() == (0,)
    assert conn.execute("select count(*) from run").fetchone() == (0,)


def test_i_t_finds_the_learners_who_grew(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(20251102)
    params = bank_params(60, rng)
    start = {f"u{number:03d}": float(value) for number, value in enumerate(rng.normal(0, 1, 150))}
    growth = {user: float(rng.normal(0, 0.5)) for user in start}
    before = simulated(start, params, range(1, 31), rng, days_ago=BEFORE)
    later = {user: start[user] + growth[user] for user in start}
    write_answers(conn, before + simulated(later, params, range(31, 61), rng, days_ago=RECENT))
    publish_items(conn, params)
    summary = compute(conn, database)
    assert summary["n_theta_based"] == summary["n_learners"] == 150
    found = kpis(conn)
    assert spearmanr([found[user]["I_t"] for user in start], list(growth.values())).statistic >= 0.6
    one = found["u000"]
    index = improvement_index(*(np.array([one[key]]) for key in ("delta_theta", "delta_theta_se", "n_recent")))
    assert one["I_t"] == pytest.approx(index[0])


def test_acceptance_query_of_improvement(conn: Connection, database: str) -> None:
    rng = np.random.default_rng(8)
    params = bank_params(60, rng)
    calibrated = simulated({"a": 0.0, "b": 1.0}, params, range(1, 61), rng, days_ago=(0, 7, 15, 20))
    others = [Answer("c", 900 + item, item % 3 > 0, days_ago=item % 28) for item in range(40)]
    write_answers(conn, calibrated + others)
    publish_items(conn, params)
    compute(conn, database)
    query = (
        "SELECT COUNT(*), AVG((kpis->>'I_t')::float), COUNT(CASE WHEN kpis->>'method' = 'theta_delta' THEN 1 END),"
        " COUNT(CASE WHEN kpis->>'method' = 'accuracy_delta' THEN 1 END)"
        " FROM weekly_kpi WHERE kpis ? 'I_t' AND week_start >= %s - INTERVAL '4 weeks'"
    )
    count, mean, by_theta, by_accuracy = conn.execute(query, (NOW,)).fetchone()
    assert (count, by_theta, by_accuracy) == (3, 2, 1)
    assert -1 <= mean <= 1
