"""The reading API, and θ and KPIs after a session, on a published bank."""

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pytest
from psycopg.types.json import Jsonb
from serving import Running, publish, running

from thetaline import irt
from thetaline.learning.school_calendar import SchoolCalendar
from thetaline.learning.windows import monday

BANK = {str(101 + i): {"a": 1.0 + 0.05 * i, "b": -1.5 + 0.3 * i} for i in range(11)}
ANSWERS = [{"item_id": str(101 + i), "is_correct": i < 7} for i in range(10)]

NEXT_MONDAY = datetime.now(UTC).date() + timedelta(days=7 - datetime.now(UTC).weekday())


@pytest.fixture(scope="module", autouse=True)
def bank(service: Running) -> None:
    publish(service.database, BANK, abilities={"anna": 0.5})


def _update(service: Running, user: str, body: dict[str, Any]) -> Any:
    with service.client() as client:
        return client.post(f"/v1/learners/{user}/theta", json=body)


def test_a_session_moves_theta_to_the_eap_of_its_answers(service: Running) -> None:
    answer = _update(service, "ben", {"session_id": "s-ben", "answers": ANSWERS})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    items = irt.Items(
        ids=list(BANK), model="2PL", a=[one["a"] for one in BANK.values()], b=[one["b"] for one in BANK.values()]
    )
    x = np.array([[1.0] * 7 + [0.0] * 3 + [np.nan]])
    # One learner was calibrated: the population is that learner's posterior.
    expected = irt.score(irt.Responses.from_matrix(x, items=list(BANK)), items, method="EAP", prior=(0.5, 0.4))
    assert body["theta"] == pytest.approx(expected.theta[0], abs=1e-6)
    assert body["se"] == pytest.approx(expected.se[0], abs=1e-6)
    assert (body["n_answers"], body["changed"]) == (10, True)
    with service.client() as client:
        read = client.get("/v1/learners/ben/theta").json()
    assert read["general"]["theta"] == body["theta"]
    assert read["general"]["run_id"] == body["run_id"]


def test_the_same_session_again_changes_nothing(service: Running) -> None:
    first = _update(service, "cleo", {"session_id": "s-cleo", "answers": ANSWERS}).json()
    again = _update(service, "cleo", {"session_id": "s-cleo", "answers": ANSWERS}).json()
    assert (again["theta"], again["changed"], again["run_id"]) == (first["theta"], False, None)
    with service.client() as client:
        assert len(client.get("/v1/learners/cleo/theta/history").json()["points"]) == 1


def test_a_session_that_the_exam_app_stored_needs_its_id_only(service: Running) -> None:
    questions = [
        {"question_id": one["item_id"], "is_correct": one["is_correct"], "topic": "algebra"} for one in ANSWERS
    ]
    with psycopg.connect(service.database) as conn:
        conn.execute(
            "insert into exam_results (session_id, user_id, result_json) values ('s-dora', 'dora', %s)",
            (Jsonb({"questions": questions}),),
        )
    assert _update(service, "dora", {"session_id": "s-dora"}).json()["n_answers"] == 10
    with service.client() as client:
        topics = client.get("/v1/learners/dora/theta").json()["topics"]
        history = client.get("/v1/learners/dora/theta/history", params={"topic_id": "algebra"}).json()
    assert [one["topic_id"] for one in topics] == ["algebra"]
    assert history["points"][0]["theta"] == topics[0]["theta"]


@pytest.mark.parametrize(
    ("user", "body", "status", "said"),
    [
        ("nobody", {"session_id": "none"}, 404, "no session 'none'"),
        ("eve", {"session_id": "s-anna"}, 404, "no session 's-anna'"),
        ("eve", {"session_id": "s-anna", "answers": ANSWERS}, 409, "stored already"),
        ("anna", {"session_id": "s-anna", "answers": ANSWERS[:3]}, 409, "stored already"),
        ("anna", {"session_id": "s-2", "answers": [*ANSWERS, ANSWERS[0]]}, 422, "more than once"),
        (
            "anna",
            {"session_id": "s-3", "answers": [{**ANSWERS[0], "answered_at": "2025-11-01T09:00:00"}]},
            422,
            "timezone",
        ),
        *(
            ("anna", {"session_id": "s-4", "answers": [{**ANSWERS[0], "answered_at": moment}]}, 422, "before 1970 or")
            for moment in (
                "0001-01-01T00:00:00+14:00",
                "1969-12-31T23:59:59Z",
                "9999-12-31T23:59:59-14:00",
                (datetime.now(UTC) + timedelta(days=3)).isoformat(),  # made when tests are collected
            )
        ),
        ("anna", {}, 422, "session_id"),
        ("anna", {"session_id": "s\0"}, 422, "session_id"),
    ],
)
def test_a_session_that_does_not_fit_is_refused(
    service: Running, user: str, body: dict[str, Any], status: int, said: str
) -> None:
    assert _update(service, "anna", {"session_id": "s-anna", "answers": ANSWERS}).status_code == 200
    answer = _update(service, user, body)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


@pytest.mark.parametrize("ahead", [timedelta(hours=23), timedelta(days=-20_000)])
def test_a_clock_may_be_a_day_ahead_and_an_answer_as_old_as_the_epochs(service: Running, ahead: timedelta) -> None:
    answers = [{**ANSWERS[0], "answered_at": (datetime.now(UTC) + ahead).isoformat()}]
    answer = _update(service, "ida", {"session_id": f"s-ida{ahead.days}", "answers": answers})
    assert answer.status_code == 200, answer.text


def test_answers_to_unpublished_items_leave_theta_unknown(service: Running) -> None:
    answer = _update(service, "finn", {"session_id": "s-finn", "answers": [{"item_id": "999", "is_correct": True}]})
    assert answer.status_code == 200
    assert (answer.json()["theta"], answer.json()["n_answers"]) == (None, 0)


def test_a_learner_without_theta_is_a_404(service: Running) -> None:
    with service.client() as client:
        assert client.get("/v1/learners/ghost/theta").status_code == 404
        assert client.get("/v1/learners/ghost/next-items").status_code == 404
        assert client.get("/v1/learners/ghost/kpis").json() == {"user_id": "ghost", "weeks": []}


def test_next_items_leave_out_what_the_learner_answered(service: Running) -> None:
    _update(service, "gil", {"session_id": "s-gil", "answers": ANSWERS})
    with service.client() as client:
        body = client.get("/v1/learners/gil/next-items", params={"n": 3}).json()
    assert [one["item_id"] for one in body["items"]] == ["111"]


def test_a_week_is_recomputed_and_read(service: Running) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)  # of today's week no day may be over
    monday = yesterday.date() - timedelta(days=yesterday.weekday())
    answers = [{**answer, "answered_at": yesterday.isoformat()} for answer in ANSWERS]
    _update(service, "hana", {"session_id": "s-hana", "answers": [*answers, {"item_id": "111", "is_correct": True}]})
    with psycopg.connect(service.database) as conn:
        conn.execute("insert into kpi_key (key, writer) values ('theirs', 'them')")
        conn.execute("select set_config('thetaline.kpi_writer', 'them', true)")
        conn.execute(
            "insert into weekly_kpi (user_id, week_start, kpis) values ('hana', %s, '{\"theirs\": 7}')", (monday,)
        )
    with service.client() as client:
        body = client.post("/v1/learners/hana/kpis", json={"week_start": str(monday)}).json()
        assert body["week"]["week_start"] == str(monday)
        assert body["week"]["kpis"]["theirs"] == 7
        assert body["week"]["kpis"]["as_of"] == str(yesterday.date())
        assert body["week"]["kpis"]["n_recent"] == len(answers)  # that of today does not count yet
        weeks = client.get("/v1/learners/hana/kpis").json()["weeks"]
    assert [week["kpis"] for week in weeks] == [body["week"]["kpis"]]


@pytest.mark.parametrize(
    ("user", "week", "status"),
    [
        ("hana", "2025-11-04", 422),
        ("hana", "2999-01-07", 422),
        ("hana", str(NEXT_MONDAY), 422),
        ("hana", "0001-01-01", 422),
        ("hana", "1969-12-29", 422),
        ("hana", "1970-01-05", 200),
        ("ghost", "2025-11-03", 404),
        ("hana", "soon", 422),
    ],
)
def test_a_week_that_cannot_be_computed_is_refused(service: Running, user: str, week: str, status: int) -> None:
    _update(service, "hana", {"session_id": "s-hana", "answers": ANSWERS})
    with service.client() as client:
        assert client.post(f"/v1/learners/{user}/kpis", json={"week_start": week}).status_code == status


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # never on the same day
def test_a_week_is_recomputed_as_of_the_last_day_that_is_over_in_the_schools_zone(database: str, zone: str) -> None:
    publish(database, BANK, abilities={"anna": 0.5})
    calendar, answered_at = SchoolCalendar(ZoneInfo(zone)), (datetime.now(UTC) - timedelta(days=3)).isoformat()
    with running(database, thetaline_time_zone=zone) as service, service.client() as client:
        answers = [{**answer, "answered_at": answered_at} for answer in ANSWERS]
        client.post("/v1/learners/hana/theta", json={"session_id": "s", "answers": answers})
        before = calendar.last_day_over(datetime.now(UTC))
        week = client.post("/v1/learners/hana/kpis", json={"week_start": str(monday(before))}).json()["week"]
        assert before <= date.fromisoformat(week["kpis"]["as_of"]) <= calendar.last_day_over(datetime.now(UTC))


def test_the_bank_is_read_page_by_page(service: Running) -> None:
    with service.client() as client:
        first = client.get("/v1/items", params={"limit": 6}).json()
        second = client.get("/v1/items", params={"limit": 6, "after": first["next_after"]}).json()
        one = client.get("/v1/items/103").json()
        versions = client.get("/v1/items/103/history").json()["versions"]
        assert client.get("/v1/items/none").status_code == 404
    assert [item["item_id"] for item in first["items"] + second["items"]] == sorted(BANK)
    assert second["next_after"] is None
    assert one["params"] == BANK["103"]
    assert [version["run_id"] for version in versions] == ["fit-1"]


def test_only_an_arrays_texts_are_tags(service: Running) -> None:
    given = {
        "101": {"tags": None},
        "102": {"tags": "anchor"},
        "103": {"tags": ["anchor", None, {}, 7]},
        "104": {"tags": {"anchor": 1}},
        "105": {},
    }
    with psycopg.connect(service.database) as conn:
        conn.cursor().executemany(
            "insert into question (id, meta) values (%s, %s)", [(name, Jsonb(meta)) for name, meta in given.items()]
        )
    with service.client() as client:
        page = client.get("/v1/items", params={"limit": 6}).json()["items"]
        assert client.get("/v1/items/103").json()["tags"] == ["anchor", "7"]
    assert [item["tags"] for item in page] == [[], [], ["anchor", "7"], [], [], []]


def test_a_reply_that_breaks_its_schema_is_our_defect_and_not_repeated_in_the_log(
    service: Running, log: io.StringIO
) -> None:
    with psycopg.connect(service.database) as conn:
        conn.execute("alter table weekly_kpi drop constraint kpis_is_an_object")
        conn.execute("insert into weekly_kpi (user_id, week_start, kpis) values ('zoe', '2025-11-03', '[\"zzz\"]')")
    with service.client() as client:
        answer = client.get("/v1/learners/zoe/kpis")
    assert (answer.status_code, answer.json()["error"][:23]) == (500, "a defect of the service")
    assert "a reply breaks its own schema" in log.getvalue()
    assert "zzz" not in log.getvalue()


def test_runs_show_their_gate(service: Running) -> None:
    with service.client() as client:
        assert "fit-1" in [run["run_id"] for run in client.get("/v1/runs").json()["runs"]]
        run = client.get("/v1/runs/fit-1").json()
        assert client.get("/v1/runs/none").status_code == 404
    assert run["state"] == "published"
    assert [check["check_name"] for check in run["gate"]] == ["converged"]


def test_drift_alerts_that_are_open_are_shown(service: Running) -> None:
    with psycopg.connect(service.database) as conn:
        conn.execute(
            "insert into drift_alert (run_id, item_no, is_anchor, severity, statistics, proposal, resolved_at)"
            " select 'fit-1', item_no, true, 'critical', '{\"z\": 5.1}', 'retire',"
            " case when item_id = '102' then now() end from item where item_id in ('101', '102')"
        )
    with service.client() as client:
        alerts = client.get("/v1/drift-alerts").json()["alerts"]
    assert [(one["item_id"], one["severity"], one["statistics"]) for one in alerts] == [("101", "critical", {"z": 5.1})]


def test_the_published_bank_serves_information_and_next_items(service: Running) -> None:
    with service.client() as client:
        body = client.post("/irt/information", json={"item_ids": ["103", "101"], "theta": [0.0]}).json()
        assert [one["item_id"] for one in body["items"]] == ["103", "101"]
        assert client.post("/irt/information", json={"item_ids": ["none"]}).status_code == 404
        assert len(client.post("/irt/next-items", json={"theta": 0.0, "n": 4}).json()["items"]) == 4


def test_ready_names_the_published_run_and_says_what_is_wrong(service: Running) -> None:
    with service.client(token=None) as client:
        ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"], ready.json()["published_run"]) == (200, "ready", "fit-1")


def test_metrics_show_gate_results(service: Running) -> None:
    with service.client(token=None) as client:
        assert 'thetaline_gate_results{outcome="converged/passed"} 1.0' in client.get("/metrics").text


def test_items_and_alerts_have_the_code_that_the_item_was_imported_under(service: Running) -> None:
    with psycopg.connect(service.database) as conn:
        conn.execute(
            """insert into question (id, meta) values (103, '{"external_id": "algebra-7"}')
            on conflict (id) do update set meta = question.meta || excluded.meta"""
        )
        conn.execute(
            "insert into drift_alert (run_id, item_no, is_anchor, severity, statistics)"
            " select 'fit-1', item_no, false, 'info', '{}' from item where item_id in ('103', '104')"
        )
    with service.client() as client:
        codes = [
            client.get(f"/v1/items/{item}{path}").json()["code"] for item in (103, 104) for path in ("", "/history")
        ]
        alerts = {one["item_id"]: one["code"] for one in client.get("/v1/drift-alerts").json()["alerts"]}
        page = {one["item_id"]: one["code"] for one in client.get("/v1/items").json()["items"]}
    assert codes == ["algebra-7", "algebra-7", "104", "104"]
    assert (alerts["103"], alerts["104"]) == (page["103"], page["104"]) == ("algebra-7", "104")
