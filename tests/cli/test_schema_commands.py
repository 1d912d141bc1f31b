"""`thetaline db migrate | history | stamp | check` on a database of somebody's own."""

import json
from pathlib import Path

import pytest

from thetaline import cli, db
from thetaline.db import migrations


@pytest.fixture
def url(empty_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    monkeypatch.chdir(tmp_path)
    return empty_database


def test_a_schema_is_migrated_listed_checked_and_stamped(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["db", "migrate", "--to", "2"]) == 0
    assert capsys.readouterr().err == "ran 0001_first_schema\nran 0002_answers\nat revision 0002\n"
    assert cli.main(["db", "history"]) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first.startswith("0001  first_schema             run      20")
    assert last.endswith(" pending")
    assert cli.main(["db", "migrate"]) == 0
    assert cli.main(["db", "check"]) == 0
    assert "the schema is as the migrations make it" in capsys.readouterr().out
    with db.connect(url) as conn:
        conn.execute("drop index answer_by_time")
    assert cli.main(["db", "check", "--json"]) == 1
    (difference,) = json.loads(capsys.readouterr().out)
    assert (difference["what"], difference["found"]) == ("index answer_by_time", None)
    assert cli.main(["db", "stamp", "2"]) == 0
    assert "recorded as revision 0002" in capsys.readouterr().err
    assert cli.main(["db", "history", "--json"]) == 0
    assert [line["state"] for line in json.loads(capsys.readouterr().out)][:3] == ["run", "run", "pending"]


def test_the_script_changes_nothing_and_needs_no_database(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["db", "migrate", "--sql"]) == 0
    seen = capsys.readouterr().out
    assert cli.main(["db", "migrate", "--sql", "--from", "0"]) == 0
    assert capsys.readouterr().out == seen
    with db.connect(url) as conn:
        assert migrations.current(conn) is None
    assert cli.main(["db", "migrate", "--sql", "--from", "6", "--to", "7"]) == 0
    shown = capsys.readouterr().out
    assert "-- 0007_tokens" in shown
    assert "-- 0006" not in shown
    assert "-- 0008" not in shown


def test_an_option_or_a_revision_that_makes_no_sense_is_bad_input(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["db", "migrate", "--from", "3"]) == 2
    assert "--from goes with --sql" in capsys.readouterr().err
    assert cli.main(["db", "stamp", "x"]) == 2
    assert "there is no revision 'x'" in capsys.readouterr().err
