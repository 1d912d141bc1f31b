"""Fixtures of the service's tests."""

from collections.abc import Iterator

import pytest
from serving import Running, running


@pytest.fixture(scope="module")
def service(module_database: str) -> Iterator[Running]:
    """A service that the tests of a module share."""
    with running(module_database) as found:
        yield found
