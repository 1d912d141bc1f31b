"""Fits run in processes: they are bounded, they die alone, large ones are jobs that survive."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest
from serving import NewDatabase, Running, fits_done, observations, running, wait_until, without_run

ASYNC = {"prefer": "respond-async"}
ROWS = observations(n_users=80, n_items=8)
FEW = ROWS[:100]


@pytest.fixture(scope="module")
def expected(service: Running) -> dict[str, Any]:
    with service.client() as client:
        answer: dict[str, Any] = client.post("/irt/calibrate", json={"observations": ROWS}).json()
    return answer


@pytest.fixture(scope="module")
def narrow(new_database: NewDatabase) -> Iterator[Running]:
    """A service in which few fits may wait."""
    with new_database() as url, running(url, service_fit_queue=0, service_max_jobs=2, service_large_mb=0.01) as found:
        yield found


@pytest.fixture(scope="module")
def hurried(new_database: NewDatabase) -> Iterator[Running]:
    """A service in which a fit of a request ends soon."""
    with new_database() as url, running(url, service_fit_timeout_secs=0.5) as found:
        yield found


def _submit(client: httpx.Client, rows: list[dict[str, Any]] = ROWS) -> str:
    answer = client.post("/irt/calibrate", json={"observations": rows}, headers=ASYNC)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["href"]
    return str(answer.json()["href"])


def _state(client: httpx.Client, href: str) -> str:
    return str(client.get(href).json()["state"])


def test_a_large_fit_is_a_job_whose_result_is_that_of_the_request(service: Running, expected: dict[str, Any]) -> None:
    with service.client() as client:
        href = _submit(client)
        wait_until(lambda: _state(client, href) == "done")
        job = client.get(href).json()
        assert (job["kind"], job["attempts"], job["result_href"]) == ("calibrate", 1, f"{href}/result")
        assert without_run(client.get(f"{href}/result").json()) == without_run(expected)


def test_a_body_above_the_limit_becomes_a_job_by_itself(narrow: Running) -> None:
    with narrow.client() as client:
        large = client.post("/irt/calibrate", json={"observations": ROWS})
        assert large.status_code == 202
        wait_until(lambda: _state(client, large.json()["href"]) == "done")
        assert client.post("/irt/calibrate", json={"observations": FEW}).status_code == 200


def test_a_job_that_cannot_be_done_says_why(service: Running) -> None:
    with service.client() as client:
        href = _submit(client, [{"user_id": "u", "item_id": "1", "is_correct": None}])
        wait_until(lambda: _state(client, href) == "failed")
        assert client.get(href).json()["error"]["error"] == "no observation is answered"
        result = client.get(f"{href}/result")
        assert (result.status_code, result.json()["error"]) == (409, "the job failed")


def test_an_unknown_job_is_a_404(service: Running) -> None:
    with service.client() as client:
        href = "/jobs/00000000-0000-0000-0000-000000000000"
        assert [client.get(href).status_code, client.delete(href).status_code] == [404, 404]
        assert client.get(f"{href}/result").status_code == 404
        assert client.get("/jobs/one").status_code == 422


# Half a second of work: long enough to be met at it.
LONG = observations(n_users=2000, n_items=40)


@contextmanager
def stopped_worker(service: Running) -> Iterator[int]:
    """The one fit process takes a task and does not come to work on it; its pid. It goes on afterwards, if it lives."""
    pool = service.services.dispatcher
    wait_until(lambda: pool.idle == 1)
    pid = pool.pids[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield pid
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _is_at_work(client: httpx.Client, href: str, attempt: int) -> bool:
    job = client.get(href).json()
    return bool(job["state"] == "running" and job["attempts"] == attempt)


def test_kill_9_of_the_process_at_work_gives_the_job_back_and_the_service_lives(service: Running) -> None:
    pool = service.services.dispatcher
    with service.client() as client:
        with stopped_worker(service) as pid:
            href = _submit(client)
            wait_until(lambda: pool.busy == 1)
            os.kill(pid, signal.SIGKILL)
        assert client.get("/healthz").status_code == 200
        wait_until(lambda: _state(client, href) == "done", secs=60)
        assert client.get(href).json()["attempts"] == 2
        assert "thetaline_worker_deaths_total 1.0" in client.get("/metrics").text
        assert fits_done(service, "calibrate", outcome="died") == 1


def test_a_job_that_kills_every_process_is_given_up_and_reported(service: Running) -> None:
    pool = service.services.dispatcher
    with service.client() as client:
        href = _submit(client, LONG)
        for attempt in (1, 2, 3):
            wait_until(partial(_is_at_work, client, href, attempt), secs=60)
            wait_until(lambda: pool.busy == 1, secs=60)
            os.kill(pool.pids[0], signal.SIGKILL)
        wait_until(lambda: _state(client, href) == "failed", secs=60)
        assert client.get(href).json()["error"]["error"] == "the fit ended its worker 3 times"


def test_kill_9_during_a_small_fit_is_tried_again_behind_the_scenes(service: Running, expected: dict[str, Any]) -> None:
    answers: list[httpx.Response] = []
    pool = service.services.dispatcher
    thread = threading.Thread(target=lambda: answers.append(_calibrate(service)))
    with stopped_worker(service) as pid:
        thread.start()
        wait_until(lambda: pool.busy == 1)
        os.kill(pid, signal.SIGKILL)
    thread.join(60)
    assert answers[0].status_code == 200
    assert without_run(answers[0].json()) == without_run(expected)
    assert pid not in pool.pids


def test_kill_9_of_an_idle_process_is_made_good_before_a_task_asks_for_it(service: Running) -> None:
    pool = service.services.dispatcher
    with service.client() as client:
        pid = service.fit_processes()[0].pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pid not in pool.pids)
        wait_until(lambda: client.get("/readyz").status_code == 200)
        wait_until(lambda: (pool.idle, pool.alive) == (1, 1))
        assert _calibrate(service).status_code == 200


def test_a_fit_that_takes_too_long_is_ended_with_its_process(hurried: Running) -> None:
    pool, before = hurried.services.dispatcher, fits_done(hurried, "calibrate", outcome="timeout")
    with hurried.client() as client:
        with stopped_worker(hurried) as pid:
            answer = client.post("/irt/calibrate", json={"observations": ROWS})
        assert answer.status_code == 413  # a 503 would be tried again
        assert "ended after 0.5 s" in answer.json()["error"]
        assert answer.json()["detail"] == "ask for a job: Prefer: respond-async"
        assert fits_done(hurried, "calibrate", outcome="timeout") == before + 1
        wait_until(lambda: pool.alive == 1 and pid not in pool.pids)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_more_fits_than_may_wait_are_a_429_that_says_when_to_come_back(narrow: Running) -> None:
    thread = threading.Thread(target=_calibrate, args=(narrow, FEW))
    with stopped_worker(narrow), narrow.client() as client:
        thread.start()
        wait_until(lambda: narrow.services.dispatcher.busy == 1)
        refused = client.post("/irt/calibrate", json={"observations": FEW})
    thread.join(60)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1


def _calibrate(service: Running, rows: list[dict[str, Any]] = ROWS) -> httpx.Response:
    with service.client() as client:
        return client.post("/irt/calibrate", json={"observations": rows})


def test_jobs_that_run_count_with_those_that_wait_and_one_more_is_a_429(narrow: Running) -> None:
    with narrow.client() as client:
        with stopped_worker(narrow):
            at_work = _submit(client)
            wait_until(lambda: _state(client, at_work) == "running")
            waiting = _submit(client)
            refused = client.post("/irt/calibrate", json={"observations": ROWS}, headers=ASYNC)
        assert (refused.status_code, "retry-after" in refused.headers) == (429, True)
        wait_until(lambda: {_state(client, href) for href in (at_work, waiting)} == {"done"}, secs=60)
        _submit(client)


def test_a_client_that_goes_away_frees_its_process(service: Running) -> None:
    pool = service.services.dispatcher
    with service.client() as client:
        before = fits_done(service, "calibrate", outcome="cancelled")
        with stopped_worker(service) as pid, pytest.raises(httpx.ReadTimeout):
            client.post("/irt/calibrate", json={"observations": ROWS}, timeout=0.5)
        wait_until(lambda: pool.alive == 1 and pid not in pool.pids)
        assert fits_done(service, "calibrate", outcome="cancelled") == before + 1


def test_a_running_job_is_cancelled_with_its_process(service: Running) -> None:
    pool = service.services.dispatcher
    with service.client() as client, stopped_worker(service) as pid:
        href = _submit(client)
        wait_until(lambda: pool.busy == 1)
        client.delete(href)
        wait_until(lambda: _state(client, href) == "cancelled")
        wait_until(lambda: pool.alive == 1 and pid not in pool.pids)
        assert client.delete(href).json()["state"] == "cancelled"


def test_a_queued_job_is_cancelled_at_once_and_never_taken(service: Running) -> None:
    with service.client() as client:
        with stopped_worker(service):
            first, second = _submit(client), _submit(client)
            assert client.delete(second).json()["state"] == "cancelled"
        wait_until(lambda: _state(client, first) == "done", secs=60)
        assert client.get(second).json()["attempts"] == 0


def test_jobs_survive_a_restart(database: str) -> None:
    with running(database) as service, service.client() as client:
        os.kill(service.services.dispatcher.pids[0], signal.SIGSTOP)
        running_one, queued_one = _submit(client), _submit(client)
        wait_until(lambda: _state(client, running_one) == "running")
    with psycopg.connect(database) as conn:
        states = conn.execute("select state, attempts from service_job order by created_at").fetchall()
    assert states == [("queued", 0), ("queued", 0)]  # given back at once, and the attempt is not held against it
    with running(database) as service, service.client() as client:
        wait_until(lambda: {_state(client, href) for href in (running_one, queued_one)} == {"done"}, secs=60)


def test_a_job_whose_holder_vanished_is_taken_over_when_its_lease_is_out(service: Running) -> None:
    with service.client() as client:
        href = _submit(client)
        wait_until(lambda: _state(client, href) == "done")
        job_id, body = href.rsplit("/", 1)[1], json.dumps({"observations": ROWS}).encode()
        with psycopg.connect(service.database) as conn:  # as a machine that lost its power leaves it
            conn.execute("delete from service_job_body where job_id = %s", (job_id,))
            conn.execute("insert into service_job_body values (%s, 'request', 0, %s)", (job_id, body))
            conn.execute(
                "update service_job set state = 'running', leased_by = 'gone', leased_until = now() - interval '1 s',"
                " finished_at = null where job_id = %s",
                (job_id,),
            )
        wait_until(lambda: _state(client, href) == "done")
        assert client.get(href).json()["attempts"] == 2


def test_progress_is_shown(service: Running) -> None:
    with service.client() as client:
        href = _submit(client, LONG)
        wait_until(lambda: _state(client, href) == "done", secs=60)
        progress = client.get(href).json()["progress"]
    assert progress["cycle"] >= 1
    assert progress["log_likelihood"] < 0
    assert progress["largest_change"] > 0


def test_metrics_count_fits_and_show_jobs(service: Running, expected: dict[str, Any]) -> None:
    wait_until(lambda: service.services.dispatcher.idle == 1)
    with service.client() as client:
        text = client.get("/metrics").text
    assert 'thetaline_fits_total{kind="calibrate",outcome="ok"}' in text
    assert "thetaline_fit_cycles_count" in text
    assert 'thetaline_fit_processes{state="idle"} 1.0' in text
    assert 'route="/irt/calibrate"' in text


def test_a_fit_that_never_got_a_process_may_come_again(hurried: Running) -> None:
    """429 and not 413: nothing is known of how long it takes."""
    with hurried.client() as client:
        with stopped_worker(hurried):
            _submit(client)
            wait_until(lambda: hurried.services.dispatcher.busy == 1)
            late = client.post("/irt/calibrate", json={"observations": ROWS})
        assert (late.status_code, late.json()["error"]) == (429, "all fit processes are busy")
        assert int(late.headers["retry-after"]) >= 1
