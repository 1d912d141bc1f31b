"""`thetaline runs`: a person lists calibrations, publishes what was held and takes back what was published."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from school import Calibrate, current, rows, school, set_anchors, true_anchors

from thetaline import cli
from thetaline.db.ledger import open_run

SCHOOL = school()
FIRST, SECOND = "2025-11-02", "2025-11-03"


@pytest.fixture
def runs(
    taught: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """`thetaline runs …`: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setenv("DATABASE_URL", taught)
        capsys.readouterr()
        code = cli.main(["runs", *arguments])
        return code, *capsys.readouterr()

    return run


def test_a_person_publishes_a_held_run_and_takes_it_back(
    taught: str, calibrate: Calibrate, runs: Callable[..., tuple[int, str, str]]
) -> None:
    first = calibrate("--date", FIRST).summary["run_id"]
    calibrate("--date", SECOND)
    held = rows(taught, "select run_id from run where state = 'held'")[0][0]
    code, _, said = runs("publish", held, "--reason", "new bank, new scale")
    assert (code, said.splitlines()[0]) == (0, f"{held} is published; current is {held}")
    assert current(taught) == {held}
    assert "new bank, new scale" in rows(taught, "select reason from run where run_id = %s", held)[0][0]
    code, _, said = runs("retract", held, "--reason", "wrong after all")
    assert (code, said.splitlines()[0]) == (0, f"{held} is retracted; current is {first}")
    assert "thetaline nightly --from snapshot_theta" in said
    assert current(taught) == {first}
    reasons = rows(taught, "select reason from run where run_id = %s", held)[0][0].splitlines()
    assert [line.split(": ")[1] for line in reasons] == ["new bank, new scale", "wrong after all"]
    assert runs("publish", held, "--reason", "it was right")[0] == 0
    assert current(taught) == {held}


def test_only_what_can_be_decided_is_decided(
    taught: str, calibrate: Calibrate, runs: Callable[..., tuple[int, str, str]]
) -> None:
    run_id = calibrate("--date", FIRST).summary["run_id"]
    assert runs("publish", run_id, "--reason", "x")[::2] == (
        2, f"error: run {run_id} is published; only one that is held or retracted can become published\n",
    )  # fmt: skip
    assert runs("retract", "fit-1999", "--reason", "x")[::2] == (
        2,
        "error: no run 'fit-1999'; `thetaline runs` lists them\n",
    )
    assert runs("retract", run_id, "--reason", "  ")[0] == 2
    assert runs("retract", run_id)[0] == 2
    with (
        pytest.raises(ValueError, match="broken"),
        open_run(taught, "mirt_calibrate", as_of=date(2025, 11, 4), now=datetime.now(UTC)) as failed,
    ):
        raise ValueError("broken")
    assert "is failed; only one that is held or retracted" in runs("publish", failed.run_id, "--reason", "x")[2]
    assert current(taught) == {run_id}


def test_runs_are_listed_newest_first_with_the_current_one_marked(
    taught: str, calibrate: Calibrate, runs: Callable[..., tuple[int, str, str]]
) -> None:
    first = calibrate("--date", FIRST).summary["run_id"]
    calibrate("--date", SECOND)
    code, listed, _ = runs()
    lines = listed.splitlines()
    assert code == 0
    assert lines[0].split() == ["run", "date", "state", "model", "items", "users", "anchors", "A", "B", "note"]
    assert lines[1].split()[1:4] == [SECOND, "held", "2PL"]
    assert lines[2].split()[:4] == ["*", first, FIRST, "published"]
    assert runs("--job", "nightly") == (0, "", "no runs of 'nightly'\n")
    assert runs("list", "--limit", "1")[1].count("\n") == 2


def test_a_run_is_shown_with_what_a_person_needs_to_decide(
    taught: str, calibrate: Calibrate, runs: Callable[..., tuple[int, str, str]]
) -> None:
    set_anchors(taught, {**true_anchors(SCHOOL, range(0, 40, 2)), "101": None})
    calibrate("--date", FIRST, MIRT_GATE_MAX_RMSD="0.01")
    run_id = rows(taught, "select run_id from run")[0][0]
    code, shown, _ = runs("show", run_id)
    assert code == 0
    for part in (
        run_id,
        "held",
        "HELD  link_rmsd",
        "ok    converged",
        "<= 0.01",
        "linking",
        "A 0.9",
        "101 no meta.irt",
        "2PL",
    ):
        assert part in shown
    assert runs("show", "fit-1999")[0] == 2
    assert '"gate": [{"name": "converged"' in runs("show", run_id, "--json")[1]
