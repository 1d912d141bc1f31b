"""The demo from an empty database to the comparison with the truth."""

from datetime import timedelta

import psycopg
import pytest


def test_the_demo_finds_the_truth_and_a_second_run_says_what_is_there(demo, rows):
    code, found, told = demo("--learners", "300")
    assert code == 0, told
    assert found["constants"] == pytest.approx(found["true_constants"], abs=0.12)
    assert found["b"]["correlation"] > 0.93
    assert found["theta"]["correlation"] > 0.93
    assert found["a"]["correlation"] > 0.6
    sound_but_dropped = set(found["dropped_anchors"]) - set(found["drifting_anchors"])
    assert len(sound_but_dropped) <= len(found["anchors"]) // 10
    assert "What to try next" in told
    assert found["indicators"]["rank_correlation"] > 0.15
    assert "Weekly KPIs: " in told
    for slopes in found["growth_lines"]["slopes"].values():
        assert slopes["n"] > 250
        assert 0.88 < slopes["share"] <= 1.0
        assert slopes["correlation"] > 0.6
    assert sum(one["n"] for one in found["growth_lines"]["goals"]) > 100
    assert "Growth lines: " in told
    assert "odd values in the newest week" in told
    assert "the risk is that of inactivity: AUC 0." in told
    assert "thetaline segments   no distinct groups (300)" in told

    acceptance_queries_answer(rows, found["run_id"])
    surroundings_are_there(rows)

    before = rows("select count(*), max(updated_at) from exam_results")
    code, again, told = demo("--learners", "300")
    assert (code, again["status"]) == (0, "already_done")
    assert "300 learners" in told
    assert rows("select count(*), max(updated_at) from exam_results") == before


def acceptance_queries_answer(rows, run_id):
    [(newest, model, n_items, linking)] = rows(
        "select run_id, model_spec->>'model', model_spec->>'n_items', model_spec->'linking_constants' "
        "from mirt_fit_meta order by fitted_at desc limit 1"
    )
    assert (newest, model, n_items) == (run_id, "2PL", "174")
    assert linking["A"] > 0
    assert rows("select count(*) from mirt_item_params where fitted_at >= now() - interval '1 hour'") == [(174,)]
    [(learners,)] = rows("select count(*) from mirt_ability where fitted_at >= now() - interval '1 hour'")
    assert learners > 250
    assert rows("""select count(*) from question where meta->'tags' @> '["anchor"]'::jsonb""") == [(50,)]
    [(with_theta, mean, sd)] = rows(
        "select count(*), avg(theta_estimate), stddev(theta_estimate) from features_topic_daily "
        "where theta_estimate is not null and date >= now() - interval '7 days'"
    )
    assert with_theta > 1000
    assert -1 < mean < 2
    assert 0.5 < sd < 2
    [(improved, unchanged)] = rows(
        "select count(improvement), count(*) filter (where improvement = 0) from features_topic_daily"
    )
    assert improved > 50
    assert unchanged == 0
    [(with_i_t, by_theta)] = rows(
        "select count(*), count(case when kpis->>'method' = 'theta_delta' then 1 end) from weekly_kpi "
        "where kpis ? 'I_t' and week_start >= now() - interval '4 weeks'"
    )
    assert by_theta > 0.9 * with_i_t > 150


def surroundings_are_there(rows):
    assert rows("select count(*) from classroom") == [(12,)]
    assert rows("select count(*) from session where classroom_id is null") == [(0,)]
    [(goals,)] = rows("select count(*) from interest_goal")
    assert 140 < goals < 220
    [(last_day, began)] = rows("select as_of, started_at::date from run where job = 'demo'")
    assert last_day == began - timedelta(days=1)
    assert rows("select max(started_at)::date, min(started_at)::date from attempt") == [
        (last_day, last_day - timedelta(days=83))
    ]


def test_a_database_with_other_answers_is_refused(demo, rows, database):
    with psycopg.connect(database) as conn:
        conn.execute("insert into exam_results (session_id, user_id, result_json) values ('s', 'u', '{}')")
    code, summary, told = demo()
    assert (code, summary["status"]) == (2, "bad_input")
    assert "1 results that are not the demo's" in told
    assert rows("select count(*) from exam_results") == [(1,)]
    assert rows("select count(*) from run") == [(0,)]


def test_the_demo_does_not_pretend_under_dry_run(demo, monkeypatch):
    monkeypatch.setenv("DRY_RUN", "1")
    code, _, told = demo()
    assert code == 2
    assert "DRY_RUN is set" in told


def test_answers_of_a_demo_that_the_ledger_does_not_know_are_not_gone_on_with(demo, rows, database):
    with psycopg.connect(database) as conn:
        source = '{"source": {"file": "demo-school.parquet"}}'
        conn.execute("insert into exam_results (session_id, user_id, result_json) values ('s', 'u', %s)", [source])
    code, _, told = demo()
    assert code == 2
    assert "a demo that the ledger does not know; add --fresh" in told
