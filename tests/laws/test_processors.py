"""How many processors a process may use, on a machine of 64."""

from pathlib import Path

import pytest

from thetaline.irt import threads


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file that tells a container's limit; at first there is none."""
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _pid: set(range(64)), raising=False)
    monkeypatch.setattr(threads, "CPU_LIMIT", tmp_path / "cpu.max")
    return tmp_path / "cpu.max"


def test_outside_of_a_container_all_that_it_may_run_on() -> None:
    assert threads.available_processors() == 64


@pytest.mark.parametrize(
    ("told", "processors"),
    [
        ("max 100000", 64),
        ("200000 100000", 2),
        ("250000 100000", 3),
        ("10000 100000", 1),
        ("9600000 100000", 64),
    ],
)
def test_in_a_container_no_more_than_its_share_of_time(limit: Path, told: str, processors: int) -> None:
    limit.write_text(f"{told}\n")
    assert threads.available_processors() == processors
