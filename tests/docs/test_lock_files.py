"""`make` installs from the lock files alone: a requirement that is not locked is absent on a fresh machine."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]


def named(requirements: Iterable[str]) -> set[str]:
    """The distributions that are asked for; an extra of our own stands for what it holds."""
    found = set()
    for text in requirements:
        name, own = re.match(r"([\w.-]+)(?:\[([\w,]+)\])?", text).groups()
        found |= named(one for extra in own.split(",") for one in EXTRAS[extra]) if name == "thetaline" else {name}
    return found


def locked(name: str) -> set[str]:
    return set(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==", (CHECKOUT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize(
    ("lock", "more"),
    [("requirements.lock", []), ("requirements-dev.lock", PROJECT["dependency-groups"]["dev"])],
)
def test_a_lock_file_holds_every_requirement(lock, more):
    wanted = named([*PROJECT["project"]["dependencies"], "thetaline[all]", *more])
    assert wanted - locked(lock) == set(), "`make lock` renews the lock files"
