"""Whether the scale stays, by the benchmark's school at a small size: six weeks, a quarter of the learners replaced."""

import pytest
from benchmarks.changing_school import Plan
from benchmarks.many_nights import Regression, nights

SCHOOL = Plan(n_learners=240, n_items=60, answers_a_day=360, replaced_a_month=6, nights=44, every=44)


@pytest.fixture(scope="module")
def told() -> list[Regression]:
    return nights(5, SCHOOL)  # whose first cohort to leave was the ablest


def test_theta_keeps_its_slope_and_origin_while_cohorts_and_items_come_and_go(told: list[Regression]) -> None:
    first, last = told[0], told[-1]
    assert (first.night, last.night) == (0, 43)
    assert last.slope / first.slope == pytest.approx(1.0, abs=0.1)  # of 240 learners each has an error of 0.03
    assert last.origin == pytest.approx(first.origin, abs=0.12)
    assert abs(last.A / first.A - 1.0) < 0.12


def test_anchors_that_are_gone_are_replaced(told: list[Regression]) -> None:
    assert [one.n_anchors + one.dropped for one in told[1:]] == pytest.approx([50] * len(told[1:]), abs=6)
