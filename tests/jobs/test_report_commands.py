"""Stored reports given up, compared with their store, listed and linked; files that choose learners and levels."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from learners import (
    NOW,
    TODAY,
    Connection,
)
from report_class import MONDAY, ONE, files, make, rows

from thetaline.cli import main as cli
from thetaline.errors import InputError
from thetaline.jobs.reports.artifacts import give_up, stored_reports
from thetaline.jobs.reports.generate import ReportRequest
from thetaline.jobs.reports.keys import About, object_key
from thetaline.jobs.reports.storage import open_store
from thetaline.settings import Settings


def test_an_erased_learner_keeps_neither_row_nor_file(
    class_conn: Connection,
    class_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make(class_conn, class_url, tmp_path, ReportRequest(users=["u01", "u02"], classes=()))
    monkeypatch.setenv("DATABASE_URL", class_url)
    monkeypatch.setenv("REPORT_FOLDER", str(tmp_path))
    assert cli(["reports", "erase", "--user", "u01", "--dry-run"]) == 0
    assert len(rows(class_conn)) == 2
    assert cli(["reports", "erase", "--user", "u01"]) == 0
    assert [row[0] for row in rows(class_conn)] == ["u02"]
    assert list(files(tmp_path)) == [f"reports/u02/{MONDAY}/report.html"]
    assert "1 reports of 'u01' are given out no more; 1 files deleted" in capsys.readouterr().err


@pytest.mark.parametrize("user", ["u01", "class", "a/../b", "..", "<é>" * 99])
def test_an_erased_learner_leaves_no_file_of_a_run_that_was_killed(
    user: str, class_conn: Connection, class_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(Settings(_env_file=None, report_folder=str(tmp_path)))
    others = [object_key(About.LEARNER, "u010", MONDAY, "html"), object_key(About.CLASS, user, MONDAY, "html")]
    for key in (object_key(About.LEARNER, user, MONDAY, "html"), *others):
        store.put(key, b"", "text/html")
    monkeypatch.setenv("DATABASE_URL", class_url)
    monkeypatch.setenv("REPORT_FOLDER", str(tmp_path))
    assert cli(["reports", "erase", "--user", user]) == 0
    assert sorted(store.keys()) == sorted(others)


def test_a_page_that_moves_to_another_store_is_deleted_where_it_was(
    class_conn: Connection, class_url: str, tmp_path: Path
) -> None:
    make(class_conn, class_url, tmp_path / "old", ReportRequest(users=["u01", "u02"], classes=()))
    make(class_conn, class_url, tmp_path / "new", ONE)
    assert list(files(tmp_path / "old")) == [f"reports/u02/{MONDAY}/report.html"]
    assert list(files(tmp_path / "new")) == [f"reports/u01/{MONDAY}/report.html"]


def test_reports_are_pruned_by_the_age_of_their_week(class_conn: Connection, class_url: str, tmp_path: Path) -> None:
    make(class_conn, class_url, tmp_path, ONE)
    options = {"reason": "expired", "now": NOW, "dry_run": False}
    assert give_up(class_conn, before=MONDAY, **options) == 0
    assert give_up(class_conn, before=MONDAY + timedelta(days=1), **options) == 1
    class_conn.rollback()


def test_the_store_is_compared_with_its_rows_both_ways(
    class_conn: Connection,
    class_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make(class_conn, class_url, tmp_path, ReportRequest(users=["u01", "u02"], classes=()))
    monkeypatch.setenv("DATABASE_URL", class_url)
    monkeypatch.setenv("REPORT_FOLDER", str(tmp_path))
    assert cli(["reports", "check"]) == 0
    (tmp_path / f"reports/u01/{MONDAY}/report.html").unlink()
    (tmp_path / "reports/somebody.html").write_text("")
    assert cli(["reports", "check", "--repair"]) == 1
    said = capsys.readouterr().out
    assert f"row without a file: file://{tmp_path}/reports/u01/{MONDAY}/report.html" in said
    assert f"file without a row: file://{tmp_path}/reports/somebody.html" in said
    assert [row[0] for row in rows(class_conn)] == ["u02"]
    assert (tmp_path / "reports/somebody.html").exists()


def test_the_list_and_the_link_name_the_file(
    class_conn: Connection,
    class_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make(class_conn, class_url, tmp_path, ONE)
    monkeypatch.setenv("DATABASE_URL", class_url)
    monkeypatch.setenv("REPORT_FOLDER", str(tmp_path))
    assert cli(["reports", "link", "--user", "u01"]) == 0
    assert capsys.readouterr().out.strip() == f"{tmp_path}/reports/u01/{MONDAY}/report.html"
    assert cli(["reports", "link", "--user", "u02"]) == 2
    assert cli(["reports"]) == 0
    assert f"file://{tmp_path}/reports/u01/{MONDAY}/report.html" in capsys.readouterr().out
    assert [one.owner for one in stored_reports(class_conn, about=About.LEARNER)] == ["u01"]


def test_a_week_that_is_not_over_is_refused_by_the_name_of_its_option(capsys: pytest.CaptureFixture[str]) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert cli(["reports", "make", "--week", str(tomorrow)]) == 2
    assert f"--week {tomorrow} is not over" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", ["u01\nu02\n", "user_id,name\nu01,Minji\nu02,Jun\n", "\ufeffname,user_id\nMinji,u01\nJun,u02\n"]
)
def test_a_cohort_file_names_the_learners(
    content: str, class_conn: Connection, class_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cohort.csv").write_text(content)
    monkeypatch.setenv("DATABASE_URL", class_url)
    monkeypatch.setenv("REPORT_FOLDER", str(tmp_path / "reports"))
    assert cli(["reports", "make", "--cohort", str(tmp_path / "cohort.csv"), "--week", str(TODAY)]) == 0
    assert [row[0] for row in rows(class_conn)] == ["u01", "u02"]


def test_levels_of_a_file_are_named_and_a_file_that_is_wrong_is_refused_before_anything_is_made(
    class_conn: Connection, class_url: str, tmp_path: Path
) -> None:
    levels = tmp_path / "levels.toml"
    texts = "\n".join(f'[[{language}]]\nname = "Own {n}"\ncan = "x"' for language in ("ko", "en") for n in (1, 2, 3))
    levels.write_text(f"cuts = [-9.0, 9.0]\n{texts}")
    settings = {"report_levels_file": str(levels)}
    make(class_conn, class_url, tmp_path / "reports", ONE, settings=settings)
    assert b"Own 2" in files(tmp_path / "reports")[f"reports/u01/{MONDAY}/report.html"]
    levels.write_text(levels.read_text().replace("Own 2", "Other 2"))
    assert make(class_conn, class_url, tmp_path / "reports", ONE, settings=settings)["made"] == 1
    levels.write_text("cuts = [1.0]")
    with pytest.raises(InputError, match=r"levels\.toml"):
        make(class_conn, class_url, tmp_path / "none", settings=settings)
    assert not files(tmp_path / "none")
