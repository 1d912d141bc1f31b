"""The likelihood of answers where every item is fixed."""

from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from thetaline import irt
from thetaline.jobs.calibration.all_items_fixed import marginal_log_likelihood

A, B = np.array([0.8, 1.3, 2.0]), np.array([-1.0, 0.2, 1.5])


def bank() -> irt.Items:
    return irt.Items(model="2PL", ids=[0, 1, 2], a=A, b=B)


def log_likelihood(*patterns: tuple[float, ...]) -> float:
    return marginal_log_likelihood(irt.Responses.from_matrix(np.array(patterns, float)), bank())


def test_the_likelihood_of_a_person_is_the_integral_over_the_normal_density() -> None:
    right = np.array([1, 0, 1])

    def integrand(theta: float) -> float:
        p = expit(A * (theta - B))
        return float(np.prod(np.where(right, p, 1 - p)) * norm.pdf(theta))

    assert log_likelihood((1, 0, 1)) == pytest.approx(np.log(quad(integrand, -12, 12)[0]), abs=1e-7)


def test_the_probabilities_of_all_patterns_sum_to_one() -> None:
    total = sum(np.exp(log_likelihood(pattern)) for pattern in product((0, 1), repeat=3))
    assert total == pytest.approx(1, abs=1e-7)


def test_persons_are_independent_and_a_missing_answer_says_nothing() -> None:
    alone = log_likelihood((1, 0, 1)), log_likelihood((0, 1, 0))
    assert log_likelihood((1, 0, 1), (0, 1, 0)) == pytest.approx(sum(alone))
    both = np.logaddexp(log_likelihood((1, 0, 1)), log_likelihood((1, 1, 1)))
    assert log_likelihood((1, np.nan, 1), (0, 1, 0)) == pytest.approx(both + alone[1])
