"""One PostgreSQL for the whole run, and a migrated template for each worker, since no mutant is of a migration."""

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from thetaline import db


class Template:
    """A migrated, empty database, which the tests of one worker clone."""

    def __init__(self, url: str, name: str) -> None:
        """Made at once on the server of this URL."""
        self._url, self._name = url, name
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        db.migrate(make_conninfo(url, dbname=name))

    @property
    def environment(self) -> dict[str, str]:
        """By which the fixtures of the tests find it."""
        return {"THETALINE_TEST_DATABASE_URL": self._url, "THETALINE_TEST_TEMPLATE": self._name}

    def drop_clones(self) -> None:
        """What tests that were killed have left."""
        with psycopg.connect(self._url, autocommit=True) as admin:
            found = "select datname from pg_database where starts_with(datname, %s)"
            for (name,) in admin.execute(found, [f"{self._name}_"]).fetchall():
                admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
