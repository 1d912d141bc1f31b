"""Connections: what is refused is said plainly, with advice and without the password."""

import psycopg
import pytest

from thetaline import db
from thetaline.errors import DatabaseError, MigrationError


def test_a_session_speaks_utc_and_keeps_the_options_of_the_url(database: str) -> None:
    with db.connect(f"{database}&options=-c%20work_mem%3D7MB", name="me") as conn:
        shown = [conn.execute(f"show {name}").fetchone() for name in ("timezone", "work_mem", "application_name")]
    assert shown == [("UTC",), ("7MB",), ("me",)]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:sesame@127.0.0.1:1/exams", "Connection refused.*check that the server runs"),
        ("postgresql://me:sesame@/exams?host=/nowhere", "No such file.*check that the server runs"),
        ("postgresql://me:sesame@no-such-host.invalid/exams", "check the host name in DATABASE_URL"),
        ("postgresql://me:sesame@[host/exams", "write DATABASE_URL as postgresql://"),
        ("nonsense password=sesame", "write DATABASE_URL as postgresql://"),
        ("postgresql://me:open sesame@host/exams", "write DATABASE_URL as postgresql://"),
        ("postgresql://me:open%20sesame@127.0.0.1:1/exams", "check that the server runs"),
        ("postgresql://me:sesame/open@127.0.0.1/exams", "postgresql://me:.*@127.0.0.1/exams"),
    ],
)
def test_an_unreachable_database_is_explained_without_the_password(url: str, said: str) -> None:
    with pytest.raises(DatabaseError, match=said) as raised:
        db.connect(url)
    assert "sesame" not in str(raised.value)
    assert raised.value.exit_code == 1


def test_a_missing_database_and_a_missing_role_are_told_apart(database_server: str) -> None:
    with pytest.raises(DatabaseError, match=r"does not exist; create it \(`createdb`\)"):
        db.connect(database_server.replace("/thetaline?", "/nowhere?"))
    with pytest.raises(DatabaseError, match="check the user and the password"):
        db.connect(database_server.replace("//thetaline@", "//stranger:sesame@"))


def test_a_missing_table_is_a_migration_error_with_the_command(empty_database: str) -> None:
    with db.connect(empty_database) as conn:
        with pytest.raises(psycopg.errors.UndefinedTable) as raised:
            conn.execute("select * from attempt")
        explained = db.explained(raised.value, empty_database)
    assert isinstance(explained, MigrationError)
    assert "run `thetaline db migrate`" in str(explained)
