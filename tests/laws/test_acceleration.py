"""On a linear map the mixing is exact, and tells how slow the map is."""

import numpy as np
import pytest

from thetaline.irt.calibration.acceleration import MEMORY, Anderson

RATES = np.array([0.995, 0.9, 0.5, 0.1])


def linear_map(rates, seed):
    """A symmetric map with these rates of convergence in orthogonal directions, and the point that it leaves alone."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.normal(size=(len(rates), len(rates))))[0]
    limit = rng.normal(size=len(rates))
    return (lambda point: limit + directions @ (rates * (directions.T @ (point - limit)))), limit


def iterated(acceleration, mapping, point, n):
    for _ in range(n):
        points = np.stack([point, mapping(point)])
        point = acceleration.propose(points, points)
    return point


def test_the_first_proposal_is_the_step_of_the_map():
    mapping, _ = linear_map(RATES, 1)
    np.testing.assert_array_equal(iterated(Anderson(), mapping, np.zeros(4), 1), mapping(np.zeros(4)))


@pytest.mark.parametrize("seed", range(5))
def test_a_linear_map_is_solved_in_one_cycle_more_than_it_has_rates(seed):
    mapping, limit = linear_map(RATES, seed)
    np.testing.assert_allclose(iterated(Anderson(), mapping, np.zeros(4), 5), limit, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_slowness_is_that_of_the_slowest_direction(seed):
    mapping, _ = linear_map(RATES, seed)
    acceleration = Anderson()
    iterated(acceleration, mapping, np.zeros(4), 5)
    assert acceleration.slowness == pytest.approx(1 / (1 - 0.995), rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_the_slowness_never_exceeds_that_of_the_map(seed):
    mapping, _ = linear_map(np.linspace(0.0, 0.99, 40), seed)
    acceleration, point = Anderson(), np.zeros(40)
    for _ in range(30):
        point = iterated(acceleration, mapping, point, 1)
        assert 1.0 <= acceleration.slowness < 100.0 * (1 + 1e-6)


def test_a_map_of_the_same_matrix_needs_no_learning():
    (first, _), (second, limit) = linear_map(RATES, 1), linear_map(RATES, 1)
    acceleration = Anderson()
    iterated(acceleration, first, np.zeros(4), 5)
    shift = np.array([1.0, -2.0, 0.5, 3.0])
    moved = acceleration.carried_over()
    point = iterated(moved, lambda at: second(at - shift) + shift, np.zeros(4), 1)
    np.testing.assert_allclose(point, limit + shift, atol=1e-9)
    assert moved.slowness == pytest.approx(200.0, rel=1e-6)


def test_steps_are_compared_on_the_scale_of_the_tolerance():
    """A direction that does not converge, and that the tolerance does not see, must not spoil the others."""
    mapping, limit = linear_map(RATES, 2)
    acceleration, point = Anderson(), np.zeros(5)
    for cycle in range(5):
        image = np.append(mapping(point[:4]), point[4] + 10.0 ** (cycle % 3))
        points = np.stack([point, image])
        point = acceleration.propose(points, points * [1, 1, 1, 1, 1e-12])
    np.testing.assert_allclose(point[:4], limit, atol=1e-6)


def test_slowness_survives_forgetting_until_the_memory_is_full_again():
    slow, quick = (linear_map(np.linspace(0.0, highest, 40), 1)[0] for highest in (0.995, 0.5))
    acceleration = Anderson()
    iterated(acceleration, slow, np.zeros(40), 20)
    before = acceleration.slowness
    acceleration.forget()
    acceleration, point = acceleration.carried_over(), np.zeros(40)
    for _ in range(MEMORY):
        point = iterated(acceleration, quick, point, 1)
        assert acceleration.slowness == before
    assert before > 50.0
    iterated(acceleration, quick, point, 1)
    assert acceleration.slowness < 3.0


def test_a_point_that_does_not_move_teaches_nothing():
    acceleration = Anderson()
    still = np.ones((2, 3))
    for _ in range(3):
        np.testing.assert_array_equal(acceleration.propose(still, still), np.ones(3))
    assert acceleration.slowness == 1.0
