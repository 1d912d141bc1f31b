"""Where the likelihood has its maximum: inside, far out, between two nodes, or at an end of the scale."""

import numpy as np
import pytest
from banks import bank, log_likelihood

from thetaline import irt

# hills that are higher than the limit at −inf by 2e-3 … 0.1, and so narrow that nodes one posterior sd apart miss them
LOW_HILLS = [
    ([2.86, 1.79, 2.7, 1.23], [-2.74, 2.52, 0.71, -3.1], [0.24, 0.2, 0.26, 0.28], [1, 0, 0, 0]),
    ([2.17, 2.67, 2.43], [-0.74, -0.61, -0.81], [0.23, 0.32, 0.36], [0, 0, 1]),
    ([2.29, 1.03, 5.06], [0.37, 2.16, -1.26], [0.11, 0.39, 0.34], [1, 0, 0]),
    ([1.22, 1.93, 2.23, 1.3], [0.71, -1.05, 0.97, -1.23], [0.27, 0.28, 0.11, 0.17], [0, 1, 1, 0]),
    ([1.04, 3.12, 1.21, 1.18], [1.67, -0.08, 1.2, -0.16], [0.25, 0.38, 0.35, 0.37], [0, 1, 1, 0]),
]


def test_a_maximum_far_from_the_items_is_found() -> None:
    items = irt.Items(ids=range(20), a=np.full(20, 0.3), b=np.zeros(20))
    responses = irt.Responses.from_matrix([[1] * 19 + [0]])
    theta = irt.score(responses, items, method="MLE").theta[0]
    assert theta == pytest.approx(np.log(19.0) / 0.3)


def test_perfect_patterns_have_an_infinite_mle_and_say_so() -> None:
    items = bank("2PL", n=4)
    x = [[1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 1, 1]]
    responses = irt.Responses.from_matrix(x, items=items.ids, persons=["top", "bottom", "between"])
    scores = irt.score(responses, items, method="MLE")
    assert list(scores.theta[:2]) == [np.inf, -np.inf]
    assert list(scores.se[:2]) == [np.inf, np.inf]
    assert np.isfinite(scores.theta[2])
    assert list(scores.notes) == ["top", "bottom"]
    assert scores.notes["top"] == "the likelihood rises without end towards +inf"


def test_whether_an_mle_is_infinite_is_decided_by_the_ends_of_the_likelihood() -> None:
    items = irt.Items(
        ids=range(6), model="3PL", a=[2.0, 1.5, -1.0, 2.5, 1.0, 3.0], b=np.linspace(-1.0, 1.5, 6), c=[0.3] * 6
    )
    patterns = np.array(np.meshgrid(*[[0, 1]] * 6)).reshape(6, -1).T
    responses = irt.Responses.from_matrix(patterns)
    scores = irt.score(responses, items, method="MLE")
    theta = np.array([-300.0, *np.linspace(-20.0, 20.0, 40001), 300.0])
    for n in range(64):
        value = log_likelihood(items, responses, n, theta)
        if np.isinf(scores.theta[n]):
            assert value[0 if scores.theta[n] < 0 else -1] >= value.max() - 2e-3
        else:
            assert value.max() > max(value[0], value[-1])
            assert scores.theta[n] == pytest.approx(theta[value.argmax()], abs=1e-3)
    assert 5 < np.isinf(scores.theta).sum() < 60


def test_guessing_makes_the_mle_of_a_low_pattern_minus_infinity_even_with_a_right_answer() -> None:
    items = irt.Items(ids=range(6), model="3PL", a=np.full(6, 2.0), b=np.linspace(0.0, 2.0, 6), c=np.full(6, 0.3))
    only_the_hardest = irt.Responses.from_matrix([[0, 0, 0, 0, 0, 1]])
    assert irt.score(only_the_hardest, items, method="MLE").theta[0] == -np.inf


def test_reversed_items_are_scored_downwards() -> None:
    items = irt.Items(ids=["up", "down"], a=[1.0, -1.0], b=[0.0, 0.0])
    scores = irt.score(irt.Responses.from_matrix([[1, 0], [0, 1]], items=items.ids), items)
    assert scores.theta[0] == pytest.approx(-scores.theta[1])
    assert scores.theta[0] > 0.5
    extreme = irt.Responses.from_matrix([[1, 0], [0, 1], [np.nan, 1]], items=items.ids)
    assert irt.score(extreme, items, method="MLE").theta.tolist() == [np.inf, -np.inf, -np.inf]


def test_a_likelihood_that_turns_far_out_has_its_maximum_there() -> None:
    # its top is at −8.73, 4 logits below every threshold and 0.0042 above the limit at −inf
    items = irt.Items(
        ids=range(3),
        model="3PL",
        a=[0.58407346, 0.87440649, 0.68064989],
        b=[-0.46470625, -2.84410999, -1.39609168],
        c=[0.31919812, 0.2402336, 0.0970506],
    )
    scores = irt.score(irt.Responses.from_matrix([[1, 0, 0]]), items, method="MLE")
    assert scores.theta[0] == pytest.approx(-8.729, abs=1e-3)
    assert not scores.notes


@pytest.mark.parametrize(("a", "b", "c", "pattern"), LOW_HILLS)
def test_a_low_and_narrow_hill_is_the_maximum_and_not_an_end_of_the_scale(a, b, c, pattern) -> None:
    items = irt.Items(ids=range(len(a)), model="3PL", a=a, b=b, c=c)
    responses = irt.Responses.from_matrix([pattern])
    theta = np.array([-300.0, *np.linspace(-8.0, 8.0, 16001)])
    value = log_likelihood(items, responses, 0, theta)
    assert 2e-3 < value.max() - value[0] < 0.1
    assert irt.score(responses, items, method="MLE").theta[0] == pytest.approx(theta[value.argmax()], abs=1e-3)
