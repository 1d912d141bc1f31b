"""The job `generate_weekly_report`: a row only of what is stored, unchanged pages skipped, faults kept apart."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from learners import (
    NOW,
    TODAY,
    Connection,
    bank_params,
    connected,
    context,
    publish_items,
    simulated,
    write_answers,
)
from tests.s3_server import s3_server

from thetaline.cli import main as cli
from thetaline.errors import InputError, JobError, StorageError
from thetaline.jobs.abilities import snapshot, weekly
from thetaline.jobs.reports.artifacts import give_up, stored_reports, supersede_late
from thetaline.jobs.reports.generate import ReportRequest, work
from thetaline.jobs.reports.keys import About, object_key
from thetaline.jobs.reports.storage import open_store
from thetaline.reports.value import Audience
from thetaline.settings import Settings

MONDAY = TODAY - timedelta(days=6)
USERS = [f"u{number:02d}" for number in range(12)]
ONE = ReportRequest(users=["u01"], classes=())


@pytest.fixture(scope="module")
def school(module_database: str) -> str:
    """A class of twelve learners with two weeks of answers, their θ of the day and of the weeks."""
    rng = np.random.default_rng(3)
    params = bank_params(60, rng)
    with connected(module_database) as conn:
        publish_items(conn, params)
        theta = dict(zip(USERS, rng.normal(0, 1, 12).tolist(), strict=True))
        for days, items in ((3, range(1, 21)), (10, range(21, 41))):
            write_answers(conn, simulated(theta, params, items, rng, days_ago=(days,), topics=("algebra", "geometry")))
        conn.execute("insert into classroom (classroom_id, name) values ('7a', 'Class 7 A')")
        conn.execute(
            "insert into session (session_id, user_id, classroom_id, started_at)"
            " select 's-' || user_id, user_id, '7a', %s from learner",
            [NOW - timedelta(days=4)],
        )
        for job in (weekly, snapshot):
            job.work(context(conn, module_database, job.JOB))
        conn.commit()
    return module_database


@pytest.fixture
def conn(school: str) -> Iterator[Connection]:
    """Of the shared school, without reports."""
    with connected(school) as conn:
        conn.execute("truncate stored_report, report_deletion")
        conn.commit()
        yield conn


def make(
    conn: Connection, url: str, folder: Path, request: ReportRequest | None = None, **options: Any
) -> dict[str, Any]:
    settings = {"report_folder": str(folder), **options.pop("settings", {})}
    found = work(context(conn, url, "generate_weekly_report", **settings, **options), request)
    conn.rollback()
    return dict(found)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(conn: Connection) -> list[tuple[Any, ...]]:
    query = (
        "select owner, format, object_key, content_hash, generated_at, superseded_at from stored_report order by 1, 2"
    )
    found = conn.execute(query).fetchall()
    conn.rollback()
    return found


def test_everybody_and_every_class_has_a_page_and_a_second_run_makes_none(
    conn: Connection, school: str, tmp_path: Path
) -> None:
    first = make(conn, school, tmp_path)
    assert (first["n_learners"], first["n_classes"], first["made"], first["failed"]) == (12, 1, 13, 0)
    made, stored = files(tmp_path), rows(conn)
    assert sorted(made) == sorted(key for _, _, key, *_ in stored)
    assert f"reports/u01/{MONDAY}/report.html" in made
    assert f"reports/class/7a/{MONDAY}/class.html" in made
    again = make(conn, school, tmp_path, now=NOW + timedelta(hours=1))
    assert (again["made"], again["unchanged"], again["status"]) == (0, 13, "already_done")
    assert (files(tmp_path), rows(conn)) == (made, stored)
    query = "select user_id, week_start, format, url from report_artifacts where user_id = 'u01'"
    assert conn.execute(query).fetchall() == [
        ("u01", MONDAY, "html", f"file://{tmp_path}/reports/u01/{MONDAY}/report.html")
    ]


def test_several_processes_make_the_same_bytes_as_one(conn: Connection, school: str, tmp_path: Path) -> None:
    both = {"format": "both"}  # more pages than are made in one process
    alone = make(conn, school, tmp_path / "one", ReportRequest(**both, workers=1))
    pages = files(tmp_path / "one")
    side_by_side = make(conn, school, tmp_path / "two", ReportRequest(**both, workers=2))
    assert alone["made"] == side_by_side["made"] == 26
    assert pages == files(tmp_path / "two")


def test_only_what_has_changed_is_made_again(conn: Connection, school: str, tmp_path: Path) -> None:
    make(conn, school, tmp_path)
    before = files(tmp_path)
    with_name = make(conn, school, tmp_path, ReportRequest(classes=(), names={"u03": "Minji"}))
    changed = {key for key, data in files(tmp_path).items() if data != before[key]}
    assert (with_name["made"], with_name["unchanged"]) == (1, 11)
    assert changed == {f"reports/u03/{MONDAY}/report.html"}


def test_another_reader_has_a_page_of_its_own(conn: Connection, school: str, tmp_path: Path) -> None:
    for audience in Audience:
        make(conn, school, tmp_path, ReportRequest(users=["u01"], classes=(), audience=audience))
    assert [(row[0], row[1]) for row in rows(conn)] == [
        ("u01", "family.html"),
        ("u01", "html"),
        ("u01", "teacher.html"),
    ]


def test_a_class_is_its_learners_and_its_page(conn: Connection, school: str, tmp_path: Path) -> None:
    found = make(conn, school, tmp_path, ReportRequest(users=[], classes=["7a"]))
    assert (found["n_learners"], found["n_classes"]) == (12, 1)


def test_a_dry_run_makes_pages_and_writes_nothing(conn: Connection, school: str, tmp_path: Path) -> None:
    n_runs = conn.execute("select count(*) from run").fetchone()
    found = make(conn, school, tmp_path / "none", dry_run=True)
    assert found["made"] == 13
    assert not files(tmp_path)
    assert rows(conn) == []
    assert conn.execute("select count(*) from run").fetchone() == n_runs


def test_one_page_that_fails_stops_no_other_and_is_made_alone_the_next_time(
    conn: Connection, school: str, tmp_path: Path
) -> None:
    in_the_way = tmp_path / f"reports/u05/{MONDAY}/report.html"
    in_the_way.mkdir(parents=True)
    with pytest.raises(JobError, match=r"1 of 13 pages failed: u05 \(html\): .*; the others are stored") as caught:
        make(conn, school, tmp_path)
    assert vars(caught.value)["partial_summary"]["failures"][0]["owner"] == "u05"
    assert len(rows(conn)) == 12
    assert "u05" not in {row[0] for row in rows(conn)}
    in_the_way.rmdir()
    assert make(conn, school, tmp_path)["made"] == 1


def test_a_store_that_is_away_ends_the_job_before_it_begins(conn: Connection, school: str, tmp_path: Path) -> None:
    away = {"s3_bucket": "gone-away", "aws_endpoint_url": "http://127.0.0.1:9"}
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    with pytest.raises(StorageError, match="s3://gone-away/reports/"):
        make(conn, school, tmp_path, settings={**away, **keys})
    assert rows(conn) == []


def test_rows_are_of_what_a_bucket_holds_also_when_it_goes_away(
    conn: Connection, school: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        settings = server.settings()
        make(conn, school, Path("unused"), ReportRequest(users=["u01", "u02"], classes=()), settings=settings)
        store = open_store(Settings(_env_file=None, **settings))
        assert all(store.get(row[2]).startswith(b"<!doctype html>") for row in rows(conn))
        before = rows(conn)
        store.check()
        server.process.kill()
        server.process.wait()
        with pytest.raises(StorageError, match="cannot be reached"):
            make(conn, school, Path("unused"), settings=settings)
    assert rows(conn) == before


def test_a_retraction_stops_a_page_and_the_next_run_makes_it_again(
    conn: Connection, school: str, tmp_path: Path
) -> None:
    make(conn, school, tmp_path, ONE)
    before = files(tmp_path)
    conn.execute("update run set state = 'retracted', reason = 'a test' where job = 'snapshot_theta'")
    assert conn.execute("select count(*) from report_artifacts").fetchone() == (0,)
    assert conn.execute("select object_key, reason from report_deletion").fetchall() == [
        (f"reports/u01/{MONDAY}/report.html", "superseded")
    ]
    conn.commit()
    try:
        found = make(conn, school, tmp_path, ONE)
        assert found["made"] == 1
        assert files(tmp_path) != before
        assert [row[5] for row in rows(conn)] == [None]
        assert conn.execute("select count(*) from report_deletion").fetchone() == (0,)
    finally:
        conn.execute("update run set state = 'published' where job = 'snapshot_theta'")
        conn.commit()


def test_a_page_whose_run_is_retracted_while_it_is_made_is_superseded(
    conn: Connection, school: str, tmp_path: Path
) -> None:
    make(conn, school, tmp_path, ONE)
    conn.execute(
        "insert into run (run_id, job, as_of, state, started_at, finished_at, host, pid)"
        " values ('late', 'snapshot_theta', %s, 'retracted', %s, %s, 'test', 1)",
        (TODAY, NOW, NOW),
    )
    conn.execute("update stored_report set sources = sources || '{late}'")
    supersede_late(conn, MONDAY, NOW)
    assert [row[0] for row in conn.execute("select superseded_at is not null from stored_report")] == [True]
    conn.rollback()


def test_an_erased_learner_keeps_neither_row_nor_file(
    conn: Connection, school: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(conn, school, tmp_path, ReportRequest(users=["u01", "u02"], classes=()))
    monkeypatch.setenv("DATABASE_URL", school)
    monkeypatch.setenv("REPORT_FOLDER", str(tmp_path))
    assert cli(["reports", "erase", "--user", "u01", "--dry-run"]) == 0
    assert len(rows(conn)) == 2
    assert cli(["reports", "erase", "--user", "u01"]) == 0
    assert [row[0] for row in rows(conn)] == ["u02"]
    assert list(files(tmp_path)) == [f"reports/u02/{MONDAY}/report.html"]
    assert "1 reports of 'u01' are given out no more; 1 files deleted" in capsys.readouterr().err


@pytest.mark.parametrize("user", ["u01", "class", "a/../b", "..", "<é>" * 99])
def test_an_erased_learner_leaves_no_file_of_a_run_that_was_killed(
    user: str, conn: Connection, school: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(Settings(_env_file=None, report_folder=str(tmp_path)))
    others = [object_key(About.LEARNER, "u010", MONDAY, "html"), object_key(About.CLASS, user, MONDAY, "html")]
    for key in (object_key(About.LEARNER, user, MONDAY, "html"), *others):
        store.put(key, b"", "text/html")
    monkeypatch.setenv("DATABASE_URL", school)
    monkeypatch.setenv("REPORT_FOLDER", str(tmp_path))
    assert cli(["reports", "erase", "--user", user]) == 0
    assert sorted(store.keys()) == sorted(others)


def test_a_page_that_moves_to_another_store_is_deleted_where_it_was(
    conn: Connection, school: str, tmp_path: Path
) -> None:
    make(conn, school, tmp_path / "old", ReportRequest(users=["u01", "u02"], classes=()))
    make(conn, school, tmp_path / "new", ONE)
    assert list(files(tmp_path / "old")) == [f"reports/u02/{MONDAY}/report.html"]
    assert list(files(tmp_path / "new")) == [f"reports/u01/{MONDAY}/report.html"]


def test_reports_are_pruned_by_the_age_of_their_week(conn: Connection, school: str, tmp_path: Path) -> None:
    make(conn, school, tmp_path, ONE)
    options = {"reason": "expired", "now": NOW, "dry_run": False}
    assert give_up(conn, before=MONDAY, **options) == 0
    assert give_up(conn, before=MONDAY + timedelta(days=1), **options) == 1
    conn.rollback()


def test_the_store_is_compared_with_its_rows_both_ways(
    conn: Connection, school: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(conn, school, tmp_path, ReportRequest(users=["u01", "u02"], classes=()))
    monkeypatch.setenv("DATABASE_URL", school)
    monkeypatch.setenv("REPORT_FOLDER", str(tmp_path))
    assert cli(["reports", "check"]) == 0
    (tmp_path / f"reports/u01/{MONDAY}/report.html").unlink()
    (tmp_path / "reports/somebody.html").write_text("")
    assert cli(["reports", "check", "--repair"]) == 1
    said = capsys.readouterr().out
    assert f"row without a file: file://{tmp_path}/reports/u01/{MONDAY}/report.html" in said
    assert f"file without a row: file://{tmp_path}/reports/somebody.html" in said
    assert [row[0] for row in rows(conn)] == ["u02"]
    assert (tmp_path / "reports/somebody.html").exists()


def test_the_list_and_the_link_name_the_file(
    conn: Connection, school: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(conn, school, tmp_path, ONE)
    monkeypatch.setenv("DATABASE_URL", school)
    monkeypatch.setenv("REPORT_FOLDER", str(tmp_path))
    assert cli(["reports", "link", "--user", "u01"]) == 0
    assert capsys.readouterr().out.strip() == f"{tmp_path}/reports/u01/{MONDAY}/report.html"
    assert cli(["reports", "link", "--user", "u02"]) == 2
    assert cli(["reports"]) == 0
    assert f"file://{tmp_path}/reports/u01/{MONDAY}/report.html" in capsys.readouterr().out
    assert [one.owner for one in stored_reports(conn, about=About.LEARNER)] == ["u01"]


def test_a_week_that_is_not_over_is_refused_by_the_name_of_its_option(capsys: pytest.CaptureFixture[str]) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert cli(["reports", "make", "--week", str(tomorrow)]) == 2
    assert f"--week {tomorrow} is not over" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", ["u01\nu02\n", "user_id,name\nu01,Minji\nu02,Jun\n", "\ufeffname,user_id\nMinji,u01\nJun,u02\n"]
)
def test_a_cohort_file_names_the_learners(
    content: str, conn: Connection, school: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cohort.csv").write_text(content)
    monkeypatch.setenv("DATABASE_URL", school)
    monkeypatch.setenv("REPORT_FOLDER", str(tmp_path / "reports"))
    assert cli(["reports", "make", "--cohort", str(tmp_path / "cohort.csv"), "--week", str(TODAY)]) == 0
    assert [row[0] for row in rows(conn)] == ["u01", "u02"]


def test_levels_of_a_file_are_named_and_a_file_that_is_wrong_is_refused_before_anything_is_made(
    conn: Connection, school: str, tmp_path: Path
) -> None:
    levels = tmp_path / "levels.toml"
    texts = "\n".join(f'[[{language}]]\nname = "Own {n}"\ncan = "x"' for language in ("ko", "en") for n in (1, 2, 3))
    levels.write_text(f"cuts = [-9.0, 9.0]\n{texts}")
    settings = {"report_levels_file": str(levels)}
    make(conn, school, tmp_path / "reports", ONE, settings=settings)
    assert b"Own 2" in files(tmp_path / "reports")[f"reports/u01/{MONDAY}/report.html"]
    levels.write_text(levels.read_text().replace("Own 2", "Other 2"))
    assert make(conn, school, tmp_path / "reports", ONE, settings=settings)["made"] == 1
    levels.write_text("cuts = [1.0]")
    with pytest.raises(InputError, match=r"levels\.toml"):
        make(conn, school, tmp_path / "none", settings=settings)
    assert not files(tmp_path / "none")
