"""The job `generate_weekly_report`: a row only of what is stored, unchanged pages skipped, faults kept apart."""

from datetime import timedelta
from pathlib import Path

import pytest
from learners import (
    NOW,
    TODAY,
    Connection,
)
from report_class import MONDAY, ONE, files, make, rows
from tests.s3_server import s3_server

from thetaline.errors import JobError, StorageError
from thetaline.jobs.reports.artifacts import supersede_late
from thetaline.jobs.reports.generate import ReportRequest
from thetaline.jobs.reports.storage import open_store
from thetaline.reports.value import Audience
from thetaline.settings import Settings


def test_everybody_and_every_class_has_a_page_and_a_second_run_makes_none(
    class_conn: Connection, class_url: str, tmp_path: Path
) -> None:
    first = make(class_conn, class_url, tmp_path)
    assert (first["n_learners"], first["n_classes"], first["made"], first["failed"]) == (12, 1, 13, 0)
    made, stored = files(tmp_path), rows(class_conn)
    assert sorted(made) == sorted(key for _, _, key, *_ in stored)
    assert f"reports/u01/{MONDAY}/report.html" in made
    assert f"reports/class/7a/{MONDAY}/class.html" in made
    again = make(class_conn, class_url, tmp_path, now=NOW + timedelta(hours=1))
    assert (again["made"], again["unchanged"], again["status"]) == (0, 13, "already_done")
    assert (files(tmp_path), rows(class_conn)) == (made, stored)
    query = "select user_id, week_start, format, url from report_artifacts where user_id = 'u01'"
    assert class_conn.execute(query).fetchall() == [
        ("u01", MONDAY, "html", f"file://{tmp_path}/reports/u01/{MONDAY}/report.html")
    ]


def test_several_processes_make_the_same_bytes_as_one(class_conn: Connection, class_url: str, tmp_path: Path) -> None:
    both = {"format": "both"}  # more pages than are made in one process
    alone = make(class_conn, class_url, tmp_path / "one", ReportRequest(**both, workers=1))
    pages = files(tmp_path / "one")
    side_by_side = make(class_conn, class_url, tmp_path / "two", ReportRequest(**both, workers=2))
    assert alone["made"] == side_by_side["made"] == 26
    assert pages == files(tmp_path / "two")


def test_only_what_has_changed_is_made_again(class_conn: Connection, class_url: str, tmp_path: Path) -> None:
    make(class_conn, class_url, tmp_path)
    before = files(tmp_path)
    with_name = make(class_conn, class_url, tmp_path, ReportRequest(classes=(), names={"u03": "Minji"}))
    changed = {key for key, data in files(tmp_path).items() if data != before[key]}
    assert (with_name["made"], with_name["unchanged"]) == (1, 11)
    assert changed == {f"reports/u03/{MONDAY}/report.html"}


def test_another_reader_has_a_page_of_its_own(class_conn: Connection, class_url: str, tmp_path: Path) -> None:
    for audience in Audience:
        make(class_conn, class_url, tmp_path, ReportRequest(users=["u01"], classes=(), audience=audience))
    assert [(row[0], row[1]) for row in rows(class_conn)] == [
        ("u01", "family.html"),
        ("u01", "html"),
        ("u01", "teacher.html"),
    ]


def test_a_class_is_its_learners_and_its_page(class_conn: Connection, class_url: str, tmp_path: Path) -> None:
    found = make(class_conn, class_url, tmp_path, ReportRequest(users=[], classes=["7a"]))
    assert (found["n_learners"], found["n_classes"]) == (12, 1)


def test_a_dry_run_makes_pages_and_writes_nothing(class_conn: Connection, class_url: str, tmp_path: Path) -> None:
    n_runs = class_conn.execute("select count(*) from run").fetchone()
    found = make(class_conn, class_url, tmp_path / "none", dry_run=True)
    assert found["made"] == 13
    assert not files(tmp_path)
    assert rows(class_conn) == []
    assert class_conn.execute("select count(*) from run").fetchone() == n_runs


def test_one_page_that_fails_stops_no_other_and_is_made_alone_the_next_time(
    class_conn: Connection, class_url: str, tmp_path: Path
) -> None:
    in_the_way = tmp_path / f"reports/u05/{MONDAY}/report.html"
    in_the_way.mkdir(parents=True)
    with pytest.raises(JobError, match=r"1 of 13 pages failed: u05 \(html\): .*; the others are stored") as caught:
        make(class_conn, class_url, tmp_path)
    assert vars(caught.value)["partial_summary"]["failures"][0]["owner"] == "u05"
    assert len(rows(class_conn)) == 12
    assert "u05" not in {row[0] for row in rows(class_conn)}
    in_the_way.rmdir()
    assert make(class_conn, class_url, tmp_path)["made"] == 1


def test_a_store_that_is_away_ends_the_job_before_it_begins(
    class_conn: Connection, class_url: str, tmp_path: Path
) -> None:
    away = {"s3_bucket": "gone-away", "aws_endpoint_url": "http://127.0.0.1:9"}
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    with pytest.raises(StorageError, match="s3://gone-away/reports/"):
        make(class_conn, class_url, tmp_path, settings={**away, **keys})
    assert rows(class_conn) == []


def test_rows_are_of_what_a_bucket_holds_also_when_it_goes_away(
    class_conn: Connection, class_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        settings = server.settings()
        make(
            class_conn,
            class_url,
            Path("unused"),
            ReportRequest(users=["u01", "u02"], classes=()),
            settings=settings,
        )
        store = open_store(Settings(_env_file=None, **settings))
        assert all(store.get(row[2]).startswith(b"<!doctype html>") for row in rows(class_conn))
        before = rows(class_conn)
        store.check()
        server.process.kill()
        server.process.wait()
        with pytest.raises(StorageError, match="cannot be reached"):
            make(class_conn, class_url, Path("unused"), settings=settings)
    assert rows(class_conn) == before


def test_a_retraction_stops_a_page_and_the_next_run_makes_it_again(
    class_conn: Connection, class_url: str, tmp_path: Path
) -> None:
    make(class_conn, class_url, tmp_path, ONE)
    before = files(tmp_path)
    class_conn.execute("update run set state = 'retracted', reason = 'a test' where job = 'snapshot_theta'")
    assert class_conn.execute("select count(*) from report_artifacts").fetchone() == (0,)
    assert class_conn.execute("select object_key, reason from report_deletion").fetchall() == [
        (f"reports/u01/{MONDAY}/report.html", "superseded")
    ]
    class_conn.commit()
    try:
        found = make(class_conn, class_url, tmp_path, ONE)
        assert found["made"] == 1
        assert files(tmp_path) != before
        assert [row[5] for row in rows(class_conn)] == [None]
        assert class_conn.execute("select count(*) from report_deletion").fetchone() == (0,)
    finally:
        class_conn.execute("update run set state = 'published' where job = 'snapshot_theta'")
        class_conn.commit()


def test_a_page_whose_run_is_retracted_while_it_is_made_is_superseded(
    class_conn: Connection, class_url: str, tmp_path: Path
) -> None:
    make(class_conn, class_url, tmp_path, ONE)
    class_conn.execute(
        "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
        " values ('late', 'snapshot_theta', %s, 'retracted', %s, %s, 'test', 1)",
        (TODAY, NOW, NOW),
    )
    class_conn.execute("update stored_report set sources = sources || '{late}'")
    supersede_late(class_conn, MONDAY, NOW)
    assert [row[0] for row in class_conn.execute("select superseded_at is not null from stored_report")] == [True]
    class_conn.rollback()
