"""The typed client, blocking and awaiting."""

import asyncio
from typing import Any

import httpx
import pytest
from serving import INTERNAL, Running, jobs_in, observations, publish

import thetaline
from thetaline import api
from thetaline.client import AsyncClient, Client, Retries
from thetaline.errors import InputError, ServiceError

SCORE = api.ScoreRequest.model_validate(
    {"item_params": [{"item_id": "1", "a": 1.0, "b": 0.0}], "responses": [[1], [0], [None]]}
)


@pytest.fixture(scope="module", autouse=True)
def bank(service: Running) -> None:
    publish(service.database, {str(100 + i): {"a": 1.0, "b": i - 3.0} for i in range(7)}, abilities={"anna": 0.25})


def test_both_clients_have_the_same_methods() -> None:
    blocking, awaiting = ({name for name in dir(kind) if not name.startswith("_")} for kind in (Client, AsyncClient))
    assert blocking ^ awaiting == {"close", "aclose"}


def test_the_clients_are_at_the_top_of_the_package() -> None:
    assert (thetaline.Client, thetaline.AsyncClient) == (Client, AsyncClient)


def test_every_call_is_answered_with_its_type(service: Running) -> None:
    bank = {str(i): {"a": 1.0, "b": i - 2.0} for i in range(5)}
    session = api.ThetaUpdateRequest(session_id="s", answers=[api.SessionAnswer(item_id="101", is_correct=True)])
    with Client(service.url, INTERNAL) as client:
        assert client.health().service == "r-irt-plumber"
        assert client.ready().status == "ready"
        assert [round(one["theta"], 3) for one in client.score(SCORE).abilities] == [0.413, -0.413, 0.0]
        link = client.link(api.LinkRequest.model_validate({"new": bank, "reference": bank}))
        assert (pytest.approx(1.0), pytest.approx(0.0, abs=1e-9)) == (link.A, link.B)
        assert len(client.information(api.InformationRequest(item_ids=["101"])).items) == 1
        assert client.next_items(api.NextItemsRequest(theta=0.1, n=1)).items[0].item_id == "103"
        assert client.update_theta("ben", session).n_answers == 1
        assert client.theta("anna").general.theta == 0.25
        assert client.theta_history("ben").points[0].run_id.startswith("update_theta")
        assert client.kpis("anna").weeks == []
        assert client.learner_next_items("anna", n=2).items
        assert client.items(limit=2).next_after == "101"
        assert client.item("101").model == "2PL"
        assert client.item_history("101").versions
        assert client.runs().runs
        assert client.run("fit-1").gate
        assert client.drift_alerts().alerts == []


def test_the_awaiting_client_answers_alike(service: Running) -> None:
    async def ask() -> list[Any]:
        async with AsyncClient(service.url, INTERNAL) as client:
            return list(await asyncio.gather(client.health(), client.score(SCORE), client.theta("anna"), client.runs()))

    health, scores, theta, runs = asyncio.run(ask())
    assert health.version == "1.0.0"
    assert len(scores.abilities) == 3
    assert theta.general.theta == 0.25
    assert runs.runs[0].run_id


def test_ids_with_slashes_and_letters_of_any_script_find_their_way(service: Running) -> None:
    name = "학생/1 ?#%"
    session = api.ThetaUpdateRequest(session_id="s/ü", answers=[api.SessionAnswer(item_id="101", is_correct=True)])
    with Client(service.url, INTERNAL) as client:
        with pytest.raises(ServiceError, match="404"):
            client.update_theta(name, session)
        assert client.update_theta("학생 1?#%", session).user_id == "학생 1?#%"


def test_white_space_around_a_token_is_left_out(service: Running) -> None:
    with Client(service.url, f" {INTERNAL}\n") as client:
        assert client.runs().runs


@pytest.mark.parametrize(
    ("token", "said"),
    [("top-secret\n-token", r"character 11 of the token \(U\+000A\)"), ("top-sécret", r"U\+00E9"), (" \n", "is empty")],
)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_token_that_no_header_can_carry_is_refused_without_being_shown(kind: Any, token: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        kind("http://127.0.0.1:9", token)
    assert "secret" not in str(refused.value)


def _told(transport: httpx.BaseTransport) -> str:
    with (
        Client("http://user:hunter2@here", "top-secret", retries=Retries(0), transport=transport) as client,
        pytest.raises(ServiceError) as failed,
    ):
        client.health()
    return str(failed.value)


def test_no_error_shows_the_token_or_the_password_of_the_address() -> None:
    def leaks(request: httpx.Request) -> httpx.Response:
        raise httpx.LocalProtocolError(f"Illegal header value {request.headers['authorization'].encode()!r}")

    def echoes(request: httpx.Request) -> httpx.Response:
        return httpx.Response(502, text=f"Authorization: {request.headers['authorization']}")

    def another(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"hello": "world"})

    for answer, said in ((leaks, "got no answer"), (echoes, "answered 502"), (another, "outside the contract")):
        told = _told(httpx.MockTransport(answer))
        assert said in told
        assert "***" in told
        assert "top-secret" not in told
        assert "hunter2" not in told


def test_a_refusal_carries_status_detail_and_request_id(service: Running) -> None:
    with Client(service.url, "wrong") as client, pytest.raises(ServiceError, match="not in force") as refused:
        client.runs()
    assert refused.value.status == 401
    assert refused.value.request_id


@pytest.mark.parametrize("awaiting", [False, True])
def test_a_large_fit_is_waited_for(queueing: Running, awaiting: bool) -> None:
    request = api.CalibrateRequest.model_validate({"observations": observations(n_users=60, n_items=6)})

    async def ask(url: str) -> api.CalibrateResponse:
        async with AsyncClient(url, INTERNAL) as client:
            return await client.calibrate(request)

    with Client(queueing.url, INTERNAL) as client:
        answer = asyncio.run(ask(queueing.url)) if awaiting else client.calibrate(request)
    assert len(answer.item_params) == 6


@pytest.mark.parametrize("awaiting", [False, True])
def test_the_model_may_stand_beside_the_body(service: Running, awaiting: bool) -> None:
    request = api.CalibrateRequest.model_validate({"observations": observations(n_users=60, n_items=6)})

    async def ask() -> api.CalibrateResponse:
        async with AsyncClient(service.url, INTERNAL) as client:
            return await client.calibrate(request, model="Rasch")

    with Client(service.url, INTERNAL) as client:
        answer = asyncio.run(ask()) if awaiting else client.calibrate(request, model="Rasch")
    assert answer.fit_meta.model_spec.model == "Rasch"


def test_a_fit_that_is_not_small_is_asked_for_as_a_job(service: Running) -> None:
    before = jobs_in(service, "done")
    with Client(service.url, INTERNAL) as client:
        for n_users, n_jobs in ((60, before), (600, before + 1)):
            rows = observations(n_users=n_users, n_items=40)
            client.calibrate(api.CalibrateRequest.model_validate({"observations": rows}))
            assert jobs_in(service, "done") == n_jobs
