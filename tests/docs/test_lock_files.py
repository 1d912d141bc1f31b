"""`make` installs from the lock files alone: what is not locked, or not as asked for, is wrong on a fresh machine."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]


def required(texts: Iterable[str]) -> Iterator[Requirement]:
    """What is asked for; an extra of our own stands for what it holds."""
    for one in map(Requirement, texts):
        if one.name == "thetaline":
            yield from required(text for extra in one.extras for text in EXTRAS[extra])
        else:
            yield one


def locked(name: str) -> dict[str, list[str]]:
    """The versions of each distribution: several where they differ by the version of Python."""
    found: dict[str, list[str]] = {}
    for one, version in re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)", (CHECKOUT / name).read_text(), re.MULTILINE):
        found.setdefault(one, []).append(version)
    return found


@pytest.mark.parametrize(
    ("lock", "more"),
    [("requirements.lock", []), ("requirements-dev.lock", PROJECT["dependency-groups"]["dev"])],
)
def test_a_lock_file_holds_every_requirement_in_a_version_that_is_asked_for(lock, more):
    versions = locked(lock)
    wanted = list(required([*PROJECT["project"]["dependencies"], "thetaline[all]", *more]))
    met = [one for one in wanted if one.name in versions and all(map(one.specifier.contains, versions[one.name]))]
    assert met == wanted, "`make lock` renews the lock files"
