"""Folders of embedded servers."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from embedded_servers import GRACE, copy

from thetaline.db import embedded
from waiting import wait_until


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """A data folder in which initdb has run, to copy from."""
    with tempfile.TemporaryDirectory(prefix="tl-") as folder:
        root = Path(folder) / "made"
        embedded.lease(root, grace_secs=GRACE).close()
        embedded.stop(root)
        yield root


@pytest.fixture
def root(made: Path) -> Iterator[Path]:
    """A data folder without a server, shared by the tests that leave its data as they are."""
    yield made
    embedded.stop(made, force=True)


@pytest.fixture
def own_root(made: Path) -> Iterator[Path]:
    """A data folder of this test's own."""
    with tempfile.TemporaryDirectory(prefix="tl-", ignore_cleanup_errors=True) as folder:
        root = Path(folder) / "db"
        copy(made, root)
        yield root
        embedded.stop(root, force=True)


@pytest.fixture
def a_grace_passes(made: Path) -> Iterator[Callable[[], None]]:
    """Waits until another server, which nobody needs, has ended: any that began to wait before it has ended, too."""
    with tempfile.TemporaryDirectory(prefix="tl-", ignore_cleanup_errors=True) as folder:
        spare = Path(folder) / "db"
        copy(made, spare)

        def wait() -> None:
            embedded.lease(spare, grace_secs=GRACE).close()
            wait_until(lambda: not embedded.status(spare).is_running)

        yield wait
