from dataclasses import replace

import numpy as np
import pytest

from thetaline.jobs.calibration.answer_checks import OddDays
from thetaline.jobs.calibration.gate import check_all, failures
from thetaline.jobs.calibration.gate_values import GateInput, GateLimits, PublishedParameters
from thetaline.jobs.calibration.published_comparison import ThetaChange
from thetaline.jobs.calibration.soundness import Soundness

LIMITS = GateLimits(
    min_items=5,
    min_users=50,
    a_min=0.05,
    a_max=6.0,
    b_max=8.0,
    min_anchors=3,
    max_rmsd=0.5,
    min_correlation_a=0.2,
    min_correlation_b=0.8,
    max_copied=0.02,
    max_moved=0.04,
    max_theta_shift=0.5,
    min_correlation_theta=0.2,
    max_odd_days=0.01,
    max_references_gap=0.2,
    max_changed_learners=0.05,
)
IDS = np.array([str(100 + i) for i in range(20)], dtype=object)
B = np.linspace(-2, 2, 20)
A = 1 + 0.5 * np.sin(np.arange(20))
LEARNERS = ThetaChange(shift=0.05, correlation=0.8, changed=0.0, n=400)
SOUND = GateInput(
    status="converged",
    converged=True,
    n_users=500,
    item_ids=IDS,
    a=A,
    b=B,
    n_anchors_tagged=10,
    n_anchors_used=9,
    linked=True,
    rmsd=0.1,
    published=PublishedParameters("fit-1", IDS, A, B),
    soundness=Soundness(
        gain=400.0,
        copied=0.0,
        odd_days=OddDays((), 0.0),
        moved=0.0,
        n_items=20,
        learners=LEARNERS,
        references_gap=0.0,
    ),
)


def held_by(run: GateInput, limits: GateLimits = LIMITS) -> list[str]:
    return [check.name for check in check_all(run, limits) if not check.passed]


def test_a_sound_run_passes_every_check() -> None:
    assert held_by(SOUND) == []
    assert failures(check_all(SOUND, LIMITS)) == ()


def test_every_check_is_told_also_when_an_earlier_one_fails() -> None:
    checks = check_all(replace(SOUND, converged=False, n_users=3), LIMITS)
    assert [check.name for check in checks] == [
        "converged", "items", "users", "parameters", "linked", "link_rmsd", "correlation_b", "correlation_a",
        "common_ability", "copies", "days", "references", "moved_items", "theta_shift", "correlation_theta",
        "changed_learners",
    ]  # fmt: skip
    assert failures(checks) == ("the fit ended as: converged", "3 learners, at least 50 needed")


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"converged": False, "status": "out of cycles"}, "converged"),
        ({"n_users": 49}, "users"),
        ({"a": np.where(np.arange(20) == 3, 0.01, A)}, "parameters"),
        ({"a": np.where(np.arange(20) == 3, 6.5, A)}, "parameters"),
        ({"b": np.where(np.arange(20) == 19, 8.5, B)}, "parameters"),
        ({"b": np.where(np.arange(20) == 0, np.nan, B), "published": None}, "parameters"),
        ({"n_anchors_used": 2}, "linked"),
        ({"linked": False, "rmsd": None}, "linked"),
        ({"rmsd": 0.51}, "link_rmsd"),
        ({"rmsd": np.nan}, "link_rmsd"),
        ({"b": B[::-1]}, "correlation_b"),
        ({"a": 2 - A}, "correlation_a"),
    ],
)
def test_each_limit_holds_a_run_back(change: dict[str, object], check: str) -> None:
    assert held_by(replace(SOUND, **change)) == [check]


def test_a_limit_itself_is_inside() -> None:
    at_the_limits = replace(SOUND, n_users=50, rmsd=0.5, n_anchors_used=3)
    assert held_by(at_the_limits, replace(LIMITS, min_items=20, a_max=float(A.max()), b_max=2.0)) == []


def test_too_few_items_hold_a_run_back() -> None:
    assert held_by(SOUND, replace(LIMITS, min_items=21)) == ["items"]


def test_absurd_items_are_named_with_their_parameters() -> None:
    message = failures(check_all(replace(SOUND, a=np.where(np.arange(20) == 3, -0.4, A)), LIMITS))[0]
    assert "103 (a -0.4, b -1.37)" in message


def test_the_very_first_run_sets_the_scale_and_says_so() -> None:
    first = replace(SOUND, n_anchors_tagged=0, n_anchors_used=0, linked=False, rmsd=None, published=None)
    linked = check_all(first, LIMITS)[4]
    assert linked.passed
    assert "this run sets the scale" in linked.message


def test_a_second_run_without_anchors_is_held_because_nothing_ties_it_to_the_first() -> None:
    second = replace(SOUND, n_anchors_tagged=0, n_anchors_used=0, linked=False, rmsd=None)
    assert failures(check_all(second, LIMITS)) == (
        "no anchors: nothing ties this scale to that of fit-1; run `thetaline tag`",
    )


def test_a_first_run_whose_anchors_match_nothing_is_held() -> None:
    first = replace(
        SOUND, n_anchors_tagged=50, n_anchors_used=0, linked=False, rmsd=None, published=None, link_message="0 shared"
    )
    assert failures(check_all(first, LIMITS)) == ("only 0 of 50 tagged anchors could be used, 3 needed (0 shared)",)


def test_few_shared_items_are_said_instead_of_correlated() -> None:
    few = replace(SOUND, b=B[::-1], published=PublishedParameters("fit-1", IDS[:9], A[:9], B[:9]))
    check = check_all(few, LIMITS)[6]
    assert (check.passed, check.value) == (True, None)
    assert "9 items in common, 10 needed" in check.message


def test_shared_items_are_matched_by_id_and_not_by_place() -> None:
    shuffled = np.random.default_rng(5).permutation(20)
    check = check_all(
        replace(SOUND, published=PublishedParameters("fit-1", IDS[shuffled], A[shuffled], B[shuffled])), LIMITS
    )[6]
    assert check.value == pytest.approx(1.0)


def test_one_discrimination_for_all_items_is_nothing_to_correlate() -> None:
    rasch = replace(SOUND, a=np.ones(20), published=PublishedParameters("fit-1", IDS, np.ones(20), B))
    assert held_by(rasch) == []
    assert check_all(rasch, LIMITS)[7].value is None


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"gain": 2.0}, "common_ability"),
        ({"copied": 0.021}, "copies"),
        ({"moved": 0.15}, "moved_items"),
        ({"odd_days": OddDays((20_395,), 0.03)}, "days"),
        ({"references_gap": 0.21}, "references"),
        ({"learners": LEARNERS._replace(shift=-0.6)}, "theta_shift"),
        ({"learners": LEARNERS._replace(shift=0.6)}, "theta_shift"),
        ({"learners": LEARNERS._replace(correlation=0.1)}, "correlation_theta"),
        ({"learners": LEARNERS._replace(changed=0.06)}, "changed_learners"),
    ],
)
def test_a_spoiled_night_is_held_by_its_check(change, check) -> None:
    assert held_by(replace(SOUND, soundness=replace(SOUND.soundness, **change))) == [check]


@pytest.mark.parametrize(
    "change",
    [
        {"moved": 0.075, "n_items": 20},  # an item and a half: the drift check's
        {"moved": 0.5, "n_items": 9},
        {"moved": None, "n_items": 0},
        {"odd_days": OddDays((20_395,), 0.009)},  # a holiday with a handful of answers
        {"references_gap": None},
        {"learners": ThetaChange(shift=0.9, correlation=-0.5, changed=0.9, n=49)},
        {"learners": ThetaChange(shift=None, correlation=None, changed=None, n=0)},
    ],
)
def test_what_is_too_little_to_compare_holds_nothing(change) -> None:
    assert held_by(replace(SOUND, soundness=replace(SOUND.soundness, **change))) == []


def test_odd_days_are_named_by_their_dates() -> None:
    odd = replace(SOUND.soundness, odd_days=OddDays((20_395, 20_396), 0.08))
    assert "8.0% of the answers" in failures(check_all(replace(SOUND, soundness=odd), LIMITS))[0]
    assert "2025-11-03, 2025-11-04" in failures(check_all(replace(SOUND, soundness=odd), LIMITS))[0]
