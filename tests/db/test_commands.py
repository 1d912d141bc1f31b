"""`thetaline db …` as a person types it: output, exit codes, and the embedded server behind it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from thetaline.db import embedded

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tl-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
        embedded.stop(Path(folder) / "postgres", force=True)


def thetaline(home: Path, *words: str, stdin: str = "", url: str | None = None) -> Done:
    """Run `thetaline db` with these words, its data in `home`, its settings from nowhere else."""
    given = {"THETALINE_DATA_DIR": str(home), "PATH": "/usr/bin:/bin", **({"DATABASE_URL": url} if url else {})}
    command = [sys.executable, "-c", "import sys; from thetaline.cli import main; sys.exit(main())", "db", *words]
    return subprocess.run(command, env=given, cwd=home, input=stdin, capture_output=True, text=True, check=False)


def test_a_night_at_the_prompt(home: Path) -> None:
    """One story, since a server stays up between the commands: start, look, query, refuse to lose data, stop."""
    assert thetaline(home, "path").stdout == f"{home}/postgres\n"
    assert thetaline(home, "status").returncode == 1

    started = thetaline(home, "start", "--hours", "0.5")
    assert started.returncode == 0
    assert started.stdout.startswith("postgresql://thetaline@/thetaline?host=")
    assert "stays up for 0.5 h" in started.stderr

    status = json.loads(thetaline(home, "status", "--json").stdout)
    assert status["running"] is True
    assert status["url"] == started.stdout.strip()

    query = "select count(*) from mirt_fit_meta"
    assert thetaline(home, "psql", "-At", "-c", query).stdout == "0\n"
    assert thetaline(home, "psql", "-At", stdin=f"{query};\n").stdout == "0\n"
    (home / "two words.sql").write_text("select 1;\nselect nope;\n")
    broken = thetaline(home, "psql", "-v", "ON_ERROR_STOP=1", "-At", "-f", "two words.sql")
    assert (broken.returncode, broken.stdout) == (3, "1\n")
    assert 'column "nope" does not exist' in broken.stderr
    assert thetaline(home, "psql", "-c", "select nope").returncode == 1

    kept = thetaline(home, "reset", stdin="no\n")
    assert (kept.returncode, (home / "postgres" / "data").exists()) == (2, True)
    assert thetaline(home, "reset", stdin="yes\n").returncode == 0
    assert not (home / "postgres" / "data").exists()
    assert thetaline(home, "stop").returncode == 0


def test_commands_of_the_embedded_server_refuse_another_database(home: Path) -> None:
    for words in (["start"], ["stop"], ["reset", "--yes"]):
        done = thetaline(home, *words, url="postgresql://me:sesame@host/exams")
        assert done.returncode == 2
        assert "is for the embedded server, but DATABASE_URL is postgresql://me:***@host/exams" in done.stderr
        assert "sesame" not in done.stderr


def test_another_database_is_queried_and_migrated(home: Path, empty_database: str) -> None:
    assert thetaline(home, "status", url=empty_database).returncode == 0
    assert thetaline(home, "migrate", url=empty_database).returncode == 0
    done = thetaline(home, "psql", "-Atc", "select count(*) from attempt", url=empty_database)
    assert done.stdout == "0\n"


def test_an_unreachable_database_ends_with_one_line_and_exit_code_1(home: Path) -> None:
    done = thetaline(home, "migrate", url="postgresql://me:sesame@127.0.0.1:1/exams")
    assert done.returncode == 1
    assert done.stderr.startswith("error: postgresql://me:***@127.0.0.1:1/exams")
    assert "Traceback" not in done.stderr
