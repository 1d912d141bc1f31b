"""Fixtures of the service's tests."""

import io
from collections.abc import Iterator

import pytest
from serving import Running, running

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
