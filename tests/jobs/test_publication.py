from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from school import Ended, rows, runner, school, set_anchors, sheet, snapshot, true_anchors, write

from thetaline import cli, db
from thetaline.db.ledger import open_run
from thetaline.jobs.calibration import nightly_fit
from thetaline.jobs.calibration.publication import current_run

Calibrate = Callable[..., Ended]
SCHOOL = school()
FIRST, SECOND = "2025-11-02", "2025-11-03"


@pytest.fixture
def taught(database: str) -> str:
    write(database, SCHOOL.sit(date(2025, 10, 19), items_each=20, seed=1))
    return database


@pytest.fixture
def calibrate(taught: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Calibrate:
    return runner(nightly_fit.main, taught, monkeypatch, capsys)


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


def current(url: str) -> set[str]:
    return {
        run_id for (run_id,) in rows(url, "select run_id from mirt_item_params union select run_id from mirt_ability")
    }


def states(url: str) -> list[str]:
    return [state for (state,) in rows(url, "select state from run order by started_at, run_id")]


def test_a_second_night_without_anchors_is_held_and_the_first_stays_current(taught: str, calibrate: Calibrate) -> None:
    first = calibrate("--date", FIRST).summary["run_id"]
    before = snapshot(taught)
    ended = calibrate("--date", SECOND)
    assert (ended.code, ended.summary["status"]) == (1, "held")
    assert f"nothing ties this scale to that of {first}; run `thetaline tag`" in ended.summary["error"]
    assert f"{first} stays current" in ended.summary["error"]
    assert ended.events[-1] == "held"
    assert states(taught) == ["published", "held"]
    assert current(taught) == {first}
    after = snapshot(taught)
    assert (after["mirt_item_params"], after["mirt_ability"]) == (before["mirt_item_params"], before["mirt_ability"])
    assert len(after["item_param"]) == 2 * len(before["item_param"])


def test_a_held_night_runs_again_without_being_asked(taught: str, calibrate: Calibrate) -> None:
    calibrate("--date", FIRST)
    calibrate("--date", SECOND)
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    assert calibrate("--date", SECOND).summary["status"] == "done"
    assert states(taught) == ["published", "held", "published"]


def test_the_gate_is_kept_with_every_check_in_its_order(taught: str, calibrate: Calibrate) -> None:
    calibrate("--date", FIRST)
    names = ["converged", "items", "users", "parameters", "linked", "link_rmsd", "correlation_b", "correlation_a"]
    assert sorted(rows(taught, "select check_name, passed from gate_result")) == sorted((name, True) for name in names)


@pytest.mark.parametrize(
    ("setting", "value", "check"),
    [
        ("MIRT_GATE_MIN_ITEMS", "41", "items"),
        ("MIRT_GATE_MIN_USERS", "301", "users"),
        ("MIRT_GATE_A_MIN", "1.1", "parameters"),
        ("MIRT_GATE_A_MAX", "1.1", "parameters"),
        ("MIRT_GATE_B_MAX", "1", "parameters"),
        ("MIRT_GATE_MIN_ANCHORS", "21", "linked"),
        ("MIRT_GATE_MAX_RMSD", "0.01", "link_rmsd"),
    ],
)
def test_each_limit_is_a_setting(taught: str, calibrate: Calibrate, setting: str, value: str, check: str) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    assert calibrate("--date", FIRST, **{setting: value}).code == 1
    assert rows(taught, "select check_name from gate_result where not passed") == [(check,)]
    assert current(taught) == set()


def test_correlations_with_the_published_parameters_have_their_limits(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    calibrate("--date", FIRST)
    write(taught, school(seed=99).sit(date(2025, 11, 2), items_each=30, seed=5))
    settings = {
        "MIRT_GATE_MIN_CORRELATION_A": "0.999",
        "MIRT_GATE_MIN_CORRELATION_B": "0.99999",
        "MIRT_GATE_MAX_RMSD": "9",
    }
    assert calibrate("--date", SECOND, **settings).code == 1
    failed = rows(taught, "select check_name from gate_result where not passed order by 1")
    assert failed == [("correlation_a",), ("correlation_b",)]


def test_anchors_that_run_the_other_way_hold_the_night(taught: str, calibrate: Calibrate) -> None:
    references = {item: {"a": 1.0, "b": -b} for item, b in zip(SCHOOL.item_ids[:20], SCHOOL.b.tolist(), strict=False)}
    set_anchors(taught, references)
    ended = calibrate("--date", FIRST)
    assert (ended.code, ended.summary["status"]) == (1, "held")
    assert "run the other way" in ended.summary["error"]
    spec = rows(taught, "select model_spec from calibration")[0][0]
    assert (spec["linked"], spec["linking_constants"]) == (False, None)


def test_anchors_with_negative_discrimination_are_malformed_and_hold_the_night(
    taught: str, calibrate: Calibrate
) -> None:
    set_anchors(taught, {item: {"a": -1.0, "b": 0.1} for item in SCHOOL.item_ids[:20]})
    ended = calibrate("--date", FIRST)
    assert ended.code == 1
    assert "only 0 of 20 tagged anchors could be used, 3 needed" in ended.summary["error"]
    warning = next(line for line in ended.log if line["event"] == "malformed anchors left out")
    assert warning["anchors"]["101"] == "meta.irt.a is -1.0, not above 0"


def test_anchors_that_match_nothing_hold_the_night(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, {str(item): {"a": 1.0, "b": 0.1} for item in range(9000, 9010)})
    ended = calibrate("--date", FIRST)
    assert ended.code == 1
    assert (
        "only 0 of 10 tagged anchors could be used, 3 needed (no anchor is among the calibrated items)"
        in ended.summary["error"]
    )
    assert rows(taught, "select jsonb_array_length(metrics->'anchors'->'not_calibrated') from calibration") == [(10,)]


def test_references_of_another_model_cannot_carry_the_scale(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    ended = calibrate("--date", FIRST, MIRT_MODEL="Rasch")
    assert ended.code == 1
    malformed = rows(taught, "select metrics->'anchors'->'malformed' from calibration")[0][0]
    assert malformed["101"] == "frozen under 2PL, this run fits Rasch"


def test_malformed_anchors_are_named_and_the_others_carry_the_scale(taught: str, calibrate: Calibrate) -> None:
    broken = {"101": None, "103": {"a": "1.2", "b": 0}, "105": {"a": 1.2}}
    set_anchors(taught, {**true_anchors(SCHOOL, range(0, 40, 2)), **broken})
    ended = calibrate("--date", FIRST)
    assert (ended.code, ended.summary["n_anchors"]) == (0, 17)
    malformed = rows(taught, "select metrics->'anchors'->'malformed' from calibration")[0][0]
    assert sorted(malformed) == ["101", "103", "105"]


def test_a_drifted_anchor_is_dropped_and_named(taught: str, calibrate: Calibrate) -> None:
    references = true_anchors(SCHOOL, range(40))
    references["120"] = {"a": float(SCHOOL.a[19]), "b": float(SCHOOL.b[19]) + 2.5}
    set_anchors(taught, references)
    assert calibrate("--date", FIRST).code == 0
    dropped = rows(taught, "select metrics->'anchors'->'dropped' from calibration")[0][0]
    assert "drifted: robust z of b" in dropped["120"]
    assert rows(taught, "select (metrics->>'rmsd')::float8 from calibration")[0][0] < 0.35  # 0.44 with the drifted one


def test_a_school_that_falls_apart_is_warned_of(taught: str, calibrate: Calibrate) -> None:
    other = school(n_items=12, n_users=60, seed=3)
    apart = replace(other, item_ids=[str(500 + i) for i in range(12)], user_ids=[f"w{n}" for n in range(60)])
    write(taught, apart.sit(date(2025, 10, 21), items_each=12, seed=4))
    ended = calibrate("--date", FIRST)
    assert (ended.code, ended.summary["connected_parts"]) == (0, 2)
    assert any(line["event"].startswith("learners and items fall apart") for line in ended.log)


def test_a_reversed_item_is_published_and_flagged(taught: str, calibrate: Calibrate) -> None:
    at = datetime(2025, 10, 20, tzinfo=UTC)
    able = SCHOOL.theta > 0
    write(
        taught,
        [(user, at, sheet([("999", not right)])) for user, right in zip(SCHOOL.user_ids, able.tolist(), strict=True)],
    )
    assert calibrate("--date", FIRST).code == 0
    flagged = rows(taught, "select metrics->'flagged_items'->0 from calibration")[0][0]
    assert flagged["item_id"] == "999"
    assert "runs backwards; a below 0.35" in flagged["reason"]


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


def test_a_second_run_at_the_same_time_says_who_holds_the_lock(taught: str, calibrate: Calibrate) -> None:
    with open_run(taught, "mirt_calibrate", as_of=date(2025, 11, 1), now=datetime(2025, 11, 1, 4, tzinfo=UTC)) as other:
        ended = calibrate("--date", FIRST)
    assert (ended.code, ended.summary["status"]) == (1, "locked")
    assert f"mirt_calibrate is under way already: run {other.run_id}, process " in ended.summary["error"]
    assert states(taught) == ["done"]


def test_a_dry_run_needs_no_lock(taught: str, calibrate: Calibrate) -> None:
    with open_run(taught, "mirt_calibrate", as_of=date(2025, 11, 1), now=datetime(2025, 11, 1, 4, tzinfo=UTC)):
        assert calibrate("--date", FIRST, "--dry-run").code == 0


def test_an_older_date_made_up_later_does_not_become_current(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    newest = calibrate("--date", SECOND).summary["run_id"]
    assert calibrate("--date", FIRST).code == 0
    assert current(taught) == {newest}
    with db.connect(taught) as conn:
        assert current_run(conn) == newest


def test_versions_count_the_stored_calibrations_of_an_item(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    calibrate("--date", FIRST)
    write(
        taught,
        [
            (f"v{n}", datetime(2025, 11, 2, tzinfo=UTC), sheet([("777", n % 3 == 0), ("101", n % 2 == 0)]))
            for n in range(40)
        ],
    )
    calibrate("--date", SECOND)
    assert rows(taught, "select item_id, version from mirt_item_params where item_id in ('101', '777') order by 1") == [
        ("101", 2),
        ("777", 1),
    ]


def test_an_item_out_of_the_window_keeps_its_last_published_parameters(taught: str, calibrate: Calibrate) -> None:
    set_anchors(taught, true_anchors(SCHOOL, range(0, 40, 2)))
    first = calibrate("--date", FIRST).summary["run_id"]
    write(taught, SCHOOL.sit(date(2025, 11, 25), items_each=40, seed=6))
    with db.connect(taught, autocommit=True) as conn:
        conn.execute(
            "delete from answer using item where answer.item_no = item.item_no"
            " and item_id = '140' and answered_at > '2025-11-20'"
        )
    second = calibrate("--date", "2025-11-26").summary["run_id"]
    assert dict(rows(taught, "select item_id, run_id from mirt_item_params where item_id in ('139', '140')")) == {
        "139": second,
        "140": first,
    }
