from datetime import UTC, date, datetime

import numpy as np
import psycopg
import pytest
from learners import connected, context
from school import Calibrate, rows, runner, school, set_anchors, sheet, snapshot, true_anchors, write

from thetaline.jobs.calibration import nightly_fit

SCHOOL = school()
DAY = "2025-11-02"


@pytest.fixture
def taught(database: str) -> str:
    """300 learners who answered 20 of 40 items a fortnight before DAY, and 8 on the day before it."""
    write(database, SCHOOL.sit(date(2025, 10, 19), items_each=20, seed=1))
    write(database, SCHOOL.sit(date(2025, 11, 1), items_each=8, seed=2))
    return database


def test_a_first_night_publishes_parameters_near_the_truth(taught: str, calibrate: Calibrate) -> None:
    ended = calibrate("--date", DAY)
    assert (ended.code, ended.summary["status"], ended.summary["n_items"], ended.summary["n_users"]) == (
        0,
        "done",
        40,
        300,
    )
    published = dict(rows(taught, "select item_id, params from mirt_item_params"))
    b = np.array([published[item]["b"] for item in SCHOOL.item_ids])
    assert np.corrcoef(b, SCHOOL.b)[0, 1] > 0.97
    assert np.sqrt(np.mean((b - SCHOOL.b) ** 2)) < 0.3
    assert all(0.05 < one["se"]["b"] < 0.6 and 0.05 < one["se"]["a"] < 0.6 for one in published.values())
    theta = dict(rows(taught, "select user_id, theta from mirt_ability"))
    assert np.corrcoef([theta[user] for user in SCHOOL.user_ids], SCHOOL.theta)[0, 1] > 0.85


def test_the_acceptance_queries_run_unchanged(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    assert calibrate("--date", DAY).code == 0
    run_id, model, n_items, n_users, n_anchors, constants, _ = rows(
        taught,
        """SELECT run_id, model_spec->>'model' AS model, model_spec->>'n_items' AS n_items,
           model_spec->>'n_users' AS n_users,
           model_spec->>'n_anchors' AS n_anchors, model_spec->'linking_constants' AS linking_constants, fitted_at
           FROM mirt_fit_meta ORDER BY fitted_at DESC LIMIT 1""",
    )[0]
    assert run_id.startswith("fit-20")
    assert (model, n_items, n_users, n_anchors) == ("2PL", "40", "300", "20")
    assert constants.keys() == {"A", "B", "n_anchors_used", "method"}
    assert (constants["A"], constants["B"]) == (pytest.approx(1, abs=0.15), pytest.approx(0, abs=0.15))
    assert 10 <= constants["n_anchors_used"] <= 20
    item_query = """SELECT COUNT(*) AS item_count, AVG((params->>'a')::float) AS avg_discrimination,
           AVG((params->>'b')::float) AS avg_difficulty, MAX(fitted_at) AS last_fitted
           FROM mirt_item_params WHERE fitted_at >= NOW() - INTERVAL '1 hour'"""
    assert rows(taught, item_query)[0][:3] == (40, pytest.approx(SCHOOL.a.mean(), abs=0.15), pytest.approx(0, abs=0.15))
    user_query = """SELECT COUNT(*) AS user_count, AVG(theta) AS avg_theta, STDDEV(theta) AS sd_theta,
           MAX(fitted_at) AS last_fitted FROM mirt_ability WHERE fitted_at >= NOW() - INTERVAL '1 hour'"""
    assert rows(taught, user_query)[0][:3] == (300, pytest.approx(0, abs=0.2), pytest.approx(0.9, abs=0.2))


def test_an_abler_cohort_is_put_on_the_scale_of_the_anchors(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    able = school(mean=0.8, sd=1.3, n_users=600)
    write(database, able.sit(date(2025, 10, 20), items_each=25, seed=3))
    set_anchors(database, true_anchors(able, range(0, 40, 2)))
    ended = runner(nightly_fit.main, database, monkeypatch, capsys)("--date", DAY)
    constants = ended.summary["linking_constants"]
    assert (constants["A"], constants["B"]) == (pytest.approx(1.3, abs=0.15), pytest.approx(0.8, abs=0.15))
    scored = {user: (theta, se) for user, theta, se in rows(database, "select user_id, theta, se from mirt_ability")}
    theta, se = np.array([scored[user] for user in able.user_ids]).T
    assert abs(np.mean(theta - able.theta)) < 0.12
    assert np.sqrt(np.mean((theta - able.theta) ** 2) / np.mean(se**2)) == pytest.approx(1, abs=0.12)
    assert rows(database, "select metrics->'population'->>'mean' from mirt_fit_meta")[0][0].startswith(
        ("0.7", "0.8", "0.9")
    )


def test_the_log_tells_the_night_in_the_order_of_the_contract(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    ended = calibrate("--date", DAY)
    wanted = [
        "observations loaded", "anchors loaded", "calibration started", "calibration finished",
        "linking constants", "item count", "user count", "published",
    ]  # fmt: skip
    assert [event for event in ended.events if event in wanted] == wanted
    lines = {line["event"]: line for line in ended.log}
    n_answers = rows(taught, "select count(distinct (learner_no, item_no)) from answer")[0][0]
    assert (lines["observations loaded"]["count"], lines["observations loaded"]["source"]) == (n_answers, "attempt")
    assert lines["anchors loaded"]["ids"] == SCHOOL.item_ids[::2]
    assert (lines["item count"]["count"], lines["user count"]["count"]) == (40, 300)
    assert lines["calibration finished"]["elapsed_secs"] >= 0


def test_the_same_date_twice_is_done_already_unless_again(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    first = calibrate("--date", DAY)
    second = calibrate("--date", DAY)
    assert (second.code, second.summary["status"], second.summary["run_id"]) == (
        0,
        "already_done",
        first.summary["run_id"],
    )
    assert rows(taught, "select count(*) from run") == [(1,)]
    third = calibrate("--date", DAY, "--again")
    assert (third.code, third.summary["run_id"] != first.summary["run_id"]) == (0, True)
    assert rows(taught, "select distinct run_id, version from mirt_item_params") == [(third.summary["run_id"], 2)]
    assert rows(taught, "select count(*) from item_param") == [(80,)]


def test_the_work_of_a_date_that_is_published_is_done_already_unless_asked_for_again(
    taught: str, calibrate: Calibrate
) -> None:
    published = calibrate("--date", DAY).summary["run_id"]
    with connected(taught) as conn:
        summary = nightly_fit.work(context(conn, taught, nightly_fit.JOB, as_of=date.fromisoformat(DAY)))
    assert (summary["status"], summary["run_id"]) == ("already_done", published)


def test_a_dry_run_shows_what_it_would_publish_and_writes_nothing_at_all(taught: str, calibrate: Calibrate) -> None:
    before = snapshot(taught)
    for ended in (calibrate("--date", DAY, "--dry-run"), calibrate("--date", DAY, DRY_RUN="true")):
        assert (ended.code, ended.summary["status"], ended.summary["would_be"]) == (0, "dry_run", "published")
        assert ended.summary["n_items"] == 40
    assert snapshot(taught) == before
    assert rows(taught, "select count(*) from run") == [(0,)]


def test_a_date_in_the_future_or_none_at_all_is_bad_input(taught: str, calibrate: Calibrate) -> None:
    assert (calibrate("--date", "2999-01-01").code, calibrate("--date", "yesterday").code) == (2, 2)
    assert rows(taught, "select count(*) from run") == [(0,)]


def test_what_is_left_out_is_named_with_its_reason(taught: str, calibrate: Calibrate) -> None:
    at = datetime(2025, 10, 25, tzinfo=UTC)
    write(
        taught,
        [("newcomer", at, sheet([("101", True), ("102", True)]))]
        + [(f"easy{n}", at, sheet([("900", True)])) for n in range(35)]
        + [(f"hard{n}", at, sheet([("901", False)])) for n in range(35)]
        + [(f"rare{n}", at, sheet([("902", n % 2 == 0)])) for n in range(29)],
    )
    ended = calibrate("--date", DAY)
    assert ended.code == 0
    metrics = rows(taught, "select metrics from mirt_fit_meta")[0][0]
    assert {one["id"]: (one["reason"], one["n_answers"]) for one in metrics["excluded_items"]} == {
        "900": ("nobody answered it wrongly", 35),
        "901": ("nobody answered it correctly", 35),
        "902": ("fewer than 30 answers", 29),
    }
    assert metrics["excluded_users"]["fewer than 3 answers on calibrated items"] == ["newcomer"]
    assert len(metrics["excluded_users"]["no answer on a calibrated item"]) == 35 + 35 + 29
    assert rows(taught, "select count(*) from mirt_ability where user_id !~ '^u'") == [(0,)]
    assert rows(taught, "select count(*) from mirt_item_params where item_id >= '900'") == [(0,)]
    assert (
        calibrate("--date", DAY, "--again", "--dry-run", MIRT_MIN_ITEM_ANSWERS="29", MIRT_MIN_USER_ANSWERS="2").summary[
            "n_items"
        ]
        == 41
    )


def test_repeated_answers_and_a_limit_are_counted(taught: str, calibrate: Calibrate) -> None:
    n_all, n_first = rows(taught, "select count(*), count(distinct (learner_no, item_no)) from answer")[0]
    assert calibrate("--date", DAY, MIRT_MAX_OBS="5000").code == 0
    metrics = rows(taught, "select metrics from mirt_fit_meta")[0][0]
    assert metrics["left_out_answers"] == {"repeats": n_all - n_first, "contradictory": 0, "over_limit": n_first - 5000}
    assert metrics["n_answers"] == 5000


@pytest.mark.parametrize("model", ["Rasch", "1PL", "3PL", "4PL"])
def test_every_dichotomous_model_runs_and_keeps_its_shape(taught: str, calibrate: Calibrate, model: str) -> None:
    assert calibrate("--date", DAY, MIRT_MODEL=model).code == 0
    params = [params for (params,) in rows(taught, "select params from mirt_item_params")]
    letters = {"Rasch": {"a", "b"}, "1PL": {"a", "b"}, "3PL": {"a", "b", "c"}, "4PL": {"a", "b", "c", "d"}}[model]
    assert {frozenset(one) - {"se"} for one in params} == {frozenset(letters)}
    if model in ("Rasch", "1PL"):
        assert len({round(one["a"], 9) for one in params}) == 1


def test_a_rasch_night_links_by_a_shift_alone(taught: str, calibrate: Calibrate) -> None:
    references = {
        item: {"a": 1.0, "b": b + 0.5, "model": "Rasch"}
        for item, b in zip(SCHOOL.item_ids, SCHOOL.b.tolist(), strict=True)
    }
    set_anchors(taught, references)
    ended = calibrate("--date", DAY, MIRT_MODEL="Rasch")
    assert (ended.code, ended.summary["linking_constants"]["A"]) == (0, 1.0)
    assert ended.summary["linking_constants"]["B"] == pytest.approx(0.5, abs=0.15)
    assert rows(taught, "select distinct params->>'a' from mirt_item_params") == [("1.0",)]


def test_a_calibration_never_touches_an_anchors_reference(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    before = rows(taught, "select id, meta, updated_at from question order by id")
    assert calibrate("--date", DAY).code == 0
    assert rows(taught, "select id, meta, updated_at from question order by id") == before


def test_named_functions_do_what_their_names_say(taught: str) -> None:
    anchor = {"a": 1.0, "b": 0.0}
    set_anchors(taught, {**true_anchors(SCHOOL, [0, 1, 2]), "139": {"a": "high"}, "1000": anchor, "99": anchor})
    with psycopg.connect(taught) as conn:
        anchors = nightly_fit.load_anchors(conn)
    assert [anchor.item_id for anchor in anchors] == ["99", *SCHOOL.item_ids[:3], "1000"]
    assert dict(anchors.malformed) == {"139": "meta.irt.a is 'high', not a finite number"}
