"""Fixtures of the service's tests."""

import io
from collections.abc import Iterator

import pytest
from serving import NewDatabase, Running, running

from thetaline import logs


@pytest.fixture(autouse=True)
def log() -> io.StringIO:
    """What the service logs, a JSON object a line."""
    stream = io.StringIO()
    logs.configure(stream)
    return stream


@pytest.fixture(scope="module")
def service(module_database: str) -> Iterator[Running]:
    """A service that the tests of a module share."""
    with running(module_database) as found:
        yield found


@pytest.fixture(scope="session")
def unpublished(new_database: NewDatabase) -> Iterator[Running]:
    """A service that modules share which publish nothing."""
    with new_database() as url, running(url) as found:
        yield found


@pytest.fixture(scope="session")
def queueing(new_database: NewDatabase) -> Iterator[Running]:
    """A service that modules share which makes every calibration a job."""
    with new_database() as url, running(url, service_large_mb=0.0) as found:
        yield found
