"""What only the tests of the jobs need."""

import json
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from learners import Connection, connected
from report_class import write_class
from school import Calibrate, rows as rows_of, runner, school, sheet, write
from sixty_items import ITEM_IDS, Tag

from thetaline import db
from thetaline.jobs.anchors import tagging
from thetaline.jobs.calibration import nightly_fit
from thetaline.jobs.demo import main as demo_main
from thetaline.jobs.importing import main as import_main


@pytest.fixture
def conn(database: str) -> Iterator[Connection]:
    """A connection to a database of the test's own."""
    with connected(database) as conn:
        yield conn


@pytest.fixture
def own_server() -> Iterator[tuple[Path, str]]:
    """A server of this test's own, to be killed or locked up: its folder and its URL."""
    with tempfile.TemporaryDirectory(prefix="tl-", ignore_cleanup_errors=True) as folder:
        root = Path(folder) / "db"
        with db.embedded.lease(root, grace_secs=1.0) as held:
            db.migrate(held.url)
            yield root, held.url
        db.embedded.stop(root)


@pytest.fixture
def demo(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, dict[str, Any], str]]:
    """`thetaline demo` with these options on the test's database: exit code, summary line, what people are told."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("THETALINE_DATA_DIR", str(tmp_path))

    def demo_(*options: str) -> tuple[int, dict[str, Any], str]:
        code = demo_main(list(options))
        out, err = capsys.readouterr()
        return code, json.loads(out), err

    return demo_


@pytest.fixture
def taught(database: str) -> str:
    """300 learners who answered 20 of 40 items on 19 October 2025."""
    write(database, school().sit(date(2025, 10, 19), items_each=20, seed=1))
    return database


@pytest.fixture
def calibrate(database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Calibrate:
    """The nightly calibration of the test's database, with these options and settings."""
    return runner(nightly_fit.main, database, monkeypatch, capsys)


@pytest.fixture
def rows(database: str) -> Callable[[str], list[tuple[Any, ...]]]:
    """What a query on the test's database returns."""
    return lambda query: rows_of(database, query)


@pytest.fixture
def load_answers(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, dict[str, Any], str]]:
    """`thetaline import` of a text with these options: exit code, summary line, what people are told."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.chdir(tmp_path)

    def load_(content: str, *options: str, name: str = "answers.csv") -> tuple[int, dict[str, Any], str]:
        (tmp_path / name).write_text(content)
        code = import_main([name, *options])
        out, err = capsys.readouterr()
        return code, json.loads(out.splitlines()[-1]), err

    return load_


@pytest.fixture
def attempts(rows: Callable[[str], list[tuple[Any, ...]]]) -> Callable[[str], list[tuple[Any, ...]]]:
    """These columns of the attempt view (`code` is the item's as it was imported), in order of learner and time."""
    return lambda columns: rows(
        f"select {columns} from (select attempt.*, coalesce(meta ->> 'external_id', item_id) as code from attempt "
        "join question on question.id::text = item_id) as one order by user_id, started_at, code"
    )


@pytest.fixture
def answered(database: str) -> str:
    """Sixty items with forty answers each."""
    start = datetime(2025, 10, 10, tzinfo=UTC)
    write(
        database,
        [(f"u{n}", start + timedelta(days=n % 7), sheet([(i, n % 2 == 0) for i in ITEM_IDS])) for n in range(40)],
    )
    return database


@pytest.fixture
def tag(answered: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tag:
    """`thetaline tag` on the sixty items."""
    return runner(tagging.main, answered, monkeypatch, capsys)


@pytest.fixture(scope="module")
def class_url(module_database: str) -> str:
    """A module's database with a class of two weeks of answers."""
    write_class(module_database)
    return module_database


@pytest.fixture
def class_conn(class_url: str) -> Iterator[Connection]:
    """A connection to it while no report is stored."""
    with connected(class_url) as conn:
        conn.execute("truncate stored_report, report_deletion")
        conn.commit()
        yield conn
