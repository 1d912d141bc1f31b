"""What only the tests of the jobs need."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from learners import Connection, connected

from thetaline import db


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
