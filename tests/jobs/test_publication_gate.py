"""Each limit of the gate holds a night, and every check is kept."""

from datetime import date

import pytest
from school import Calibrate, current, rows, school, set_anchors, true_anchors, write

SCHOOL = school()
FIRST, SECOND = "2025-11-02", "2025-11-03"


def test_the_gate_is_kept_with_every_check_in_its_order(taught: str, calibrate: Calibrate) -> None:
    calibrate("--date", FIRST)
    names = ["converged", "items", "users", "parameters", "linked", "link_rmsd", "correlation_b", "correlation_a"]
    names += ["common_ability", "copies", "days", "references", "moved_items", "theta_shift"]
    names += ["correlation_theta", "changed_learners"]
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
        "MIRT_GATE_MAX_MOVED": "1",
        "MIRT_GATE_MAX_THETA_SHIFT": "9",
        "MIRT_GATE_MIN_CORRELATION_THETA": "-1",
        "MIRT_GATE_MAX_REFERENCES_GAP": "9",
        "MIRT_GATE_MAX_CHANGED_LEARNERS": "1",
    }
    assert calibrate("--date", SECOND, **settings).code == 1
    failed = rows(taught, "select check_name from gate_result where not passed order by 1")
    assert (
        {("correlation_a",), ("correlation_b",)} <= set(failed) <= {("correlation_a",), ("correlation_b",), ("linked",)}
    )
