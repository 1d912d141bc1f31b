"""Stored reports over HTTP: who may open which page, what is told of a page that is gone, links."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from serving import INTERNAL, NewDatabase, Running, publish, running

from thetaline import Client
from thetaline.errors import ServiceError
from thetaline.jobs.reports.artifacts import Artifact, record
from thetaline.jobs.reports.keys import About, object_key
from thetaline.service.tokens import Scope

MONDAY = date(2025, 10, 27)
PAGE = "<!doctype html><title>A week</title>"


def store_page(url: str, folder: Path, user: str, format_: str, *, kept: bool = True) -> None:
    key = object_key(About.LEARNER, user, MONDAY, format_)
    if kept:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PAGE)
    row = Artifact(
        about=About.LEARNER,
        owner=user,
        week_start=MONDAY,
        format=format_,
        language="en",
        store=f"file://{folder}",
        object_key=key,
        content_hash="-",
        sources=["fit-1"],
        generated_at=datetime(2025, 11, 3, tzinfo=UTC),
    )
    with psycopg.connect(url) as conn:
        record(conn, [row])


@pytest.fixture(scope="module")
def service(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("reports")
    with new_database() as url:
        publish(url, {"1": {"a": 1.0, "b": 0.0}}, abilities={"anna": 0.5, "ben/../x": 0.1})
        for user, format_ in (("anna", "html"), ("anna", "teacher.html"), ("ben/../x", "html")):
            store_page(url, folder, user, format_)
        store_page(url, folder, "anna", "pdf", kept=False)
        with running(url, report_folder=str(folder)) as found:
            yield found


def path(user: str, format_: str = "html") -> str:
    return f"/v1/learners/{user}/reports/{MONDAY}/{format_}"


def test_a_page_is_given_out_as_it_is_stored_and_a_browser_may_run_and_load_nothing(service: Running) -> None:
    with service.client() as client:
        answer = client.get(path("anna"))
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_learner_opens_the_own_pages_but_no_teachers(service: Running) -> None:
    with service.client(service.token(Scope.READ_SELF, user_id="anna")) as client:
        assert client.get(path("anna")).status_code == 200
        assert client.get(path("anna", "teacher.html")).status_code == 403
        assert client.get(path("ben%2F..%2Fx")).status_code in (403, 404)
        listed = client.get("/v1/learners/anna/reports").json()["reports"]
    assert [one["format"] for one in listed] == ["html", "pdf"]


def test_a_token_for_all_sees_every_page(service: Running) -> None:
    with service.client() as client:
        listed = client.get("/v1/learners/anna/reports").json()["reports"]
        assert [one["format"] for one in listed] == ["html", "pdf", "teacher.html"]
        assert client.get(path("anna", "teacher.html")).status_code == 200


def test_a_page_that_was_never_made_and_one_that_is_lost_are_404(service: Running) -> None:
    with service.client() as client:
        assert "no family.html report" in client.get(path("anna", "family.html")).json()["error"]
        lost = client.get(path("anna", "pdf"))
    assert lost.status_code == 404
    assert "is made again by the next run" in lost.json()["error"]


@pytest.mark.parametrize("format_", ["exe", "teacher", "..%2F..%2Fetc%2Fpasswd", "html.html"])
def test_no_other_format_is_looked_for(service: Running, format_: str) -> None:
    with service.client() as client:
        assert client.get(path("anna", format_)).status_code in (404, 422)


def test_a_folder_has_no_links(service: Running) -> None:
    with service.client() as client:
        answer = client.get(f"{path('anna')}/link")
    assert answer.status_code == 409
    assert "ask for the report itself" in answer.json()["error"]


def test_a_superseded_page_is_gone(service: Running) -> None:
    with psycopg.connect(service.database) as conn:
        conn.execute("update stored_report set superseded_at = now() where format = 'teacher.html'")
    try:
        with service.client() as client:
            assert client.get(path("anna", "teacher.html")).status_code == 410
            listed = client.get("/v1/learners/anna/reports").json()["reports"]
        assert "teacher.html" not in [one["format"] for one in listed]
    finally:
        with psycopg.connect(service.database) as conn:
            conn.execute("update stored_report set superseded_at = null")


def test_the_client_lists_and_reads_them(service: Running) -> None:
    with Client(service.url, INTERNAL) as client:
        assert client.report("anna", MONDAY) == PAGE.encode()
        assert [one.format for one in client.reports("anna").reports][:1] == ["html"]
        with pytest.raises(ServiceError, match="has no links"):
            client.report_link("anna", MONDAY)
