"""Fixtures that every folder of tests shares."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from servers import careless_server
from thetaline import db

NewDatabase = Callable[[], AbstractContextManager[str]]
CHECKOUT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take files from all folders in turn, so that tests that wait run beside tests that compute."""
    files: dict[Path, list[Path]] = {}
    for path in dict.fromkeys(item.path for item in items):
        files.setdefault(path.parent, []).append(path)
    share_before = {path: n / len(folder) for folder in files.values() for n, path in enumerate(folder)}
    items.sort(key=lambda item: share_before[item.path])


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real answers that may not be passed on; beside the checkout in CI, absent from a user's clone."""
    folder = Path(os.environ.get("THETALINE_SHARED", CHECKOUT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no real answers in {folder}; set THETALINE_SHARED to run this test")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _reports_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where nights of the tests put their reports: never among the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPORT_FOLDER", str(tmp_path_factory.mktemp("reports")))
        yield


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """The URL of a server for databases of the tests: THETALINE_TEST_DATABASE_URL, else an embedded one."""
    if given := os.environ.get("THETALINE_TEST_DATABASE_URL"):
        yield given
        return
    with careless_server() as url:
        yield url


@pytest.fixture(scope="session")
def database_template(database_server: str) -> Iterator[str]:
    """The name of a migrated, empty database: THETALINE_TEST_TEMPLATE, else one made for this session."""
    if given := os.environ.get("THETALINE_TEST_TEMPLATE"):
        yield given
        return
    name = f"thetaline_template_{os.getpid()}"
    with psycopg.connect(database_server, autocommit=True) as admin:
        _drop(admin, name)
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        db.migrate(with_database(database_server, name))
        yield name
        _drop(admin, name)


@pytest.fixture
def database(database_server: str, database_template: str) -> Iterator[str]:
    """The URL of a fresh, migrated database of this test's own."""
    with _clone(database_server, database_template) as url:
        yield url


@pytest.fixture(scope="module")
def module_database(database_server: str, database_template: str) -> Iterator[str]:
    """The URL of a fresh, migrated database that the tests of a module share."""
    with _clone(database_server, database_template) as url:
        yield url


@pytest.fixture(scope="session")
def new_database(database_server: str, database_template: str) -> NewDatabase:
    """Makes fresh, migrated databases for fixtures that several tests share; each yields its URL."""
    return partial(_clone, database_server, database_template)


@pytest.fixture
def empty_database(database_server: str) -> Iterator[str]:
    """The URL of a database without our schema."""
    name = f"thetaline_empty_{os.getpid()}_{next(_DATABASES)}"
    with psycopg.connect(database_server, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield with_database(database_server, name)
        _drop(admin, name)


_DATABASES = count()


@contextmanager
def _clone(server: str, template: str) -> Iterator[str]:
    name = f"{template}_{next(_DATABASES)}"
    with psycopg.connect(server, autocommit=True) as admin:
        clone = sql.SQL("create database {} template {} strategy file_copy")  # five times faster than by WAL
        admin.execute(clone.format(sql.Identifier(name), sql.Identifier(template)))
        yield with_database(server, name)
        _drop(admin, name)


def with_database(url: str, name: str) -> str:
    """The same server, another database, as a URL."""
    given = conninfo_to_dict(url)
    user = ":".join(quote(str(given[key]), safe="") for key in ("user", "password") if given.get(key))
    rest = {key: value for key, value in given.items() if key not in {"user", "password", "dbname"}}
    return f"postgresql://{user}@/{name}?{urlencode(rest)}"


def _drop(admin: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    """Without superuser, `force` is refused while an autovacuum worker is in the database; those take a moment."""
    for wait in (0.1, 0.5, 2.0, 5.0):
        with suppress(psycopg.errors.InsufficientPrivilege):
            admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
            return
        time.sleep(wait)
    admin.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))
