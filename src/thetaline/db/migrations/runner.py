"""Run the Alembic revisions of this folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from thetaline.errors import MigrationError

FOLDER = Path(__file__).parent


def upgrade(connector: Callable[[], psycopg.Connection[Any]]) -> None:
    """Run every revision that is missing, all in one transaction on a connection of `connector`'s."""
    engine = create_engine("postgresql+psycopg://", creator=connector, poolclass=NullPool)
    with engine.begin() as connection:
        command.upgrade(_config(connection), "head")


def head() -> str | None:
    """The last revision, as Alembic sees it."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def execute_file(revision: str) -> None:
    """Run the SQL file of the revision script at path `revision` on Alembic's connection."""
    statements = (FOLDER / "sql" / Path(revision).with_suffix(".sql").name).read_text(encoding="utf-8")
    raw = op.get_bind().connection.driver_connection
    if raw is None:
        raise MigrationError("the connection was closed before the migration ran; run `thetaline db migrate` again")
    raw.execute(statements)


def _config(connection: object | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
