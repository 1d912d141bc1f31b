"""Scores that R mirt 1.47 gave at its own item parameters; sum-score EAP, information and reliability too."""

import mirt_reference
import numpy as np
import pytest
from mirt_reference import column, load, names, scored_patterns
from scipy.optimize import minimize_scalar

from thetaline import irt

# mirt cuts its nodes off at ±6 whatever the population: where its sd is above 1.3 its own EAP is the one that is off
NARROW = [name for name in names() if mirt_reference.numbers_of(name)["COV_11"] < 1.3**2]


@pytest.mark.parametrize("name", NARROW)
def test_pattern_eap_scores_are_mirts(name: str) -> None:
    assert_scores(name, "EAP", "EAP")


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize(("method", "theirs"), [("MAP", "MAP"), ("MLE", "ML")])
def test_pattern_modes_are_mirts(name: str, method: str, theirs: str) -> None:
    assert_scores(name, method, theirs)


def assert_scores(name: str, method: str, theirs: str) -> None:
    numbers, _, fit = load(name)
    theta, se = (column(numbers["scores"][key]) for key in (theirs, f"SE_{theirs}"))
    scores = irt.score(scored_patterns(name), fit.items, method=method, prior=(0.0, float(fit.population.sd[0])))
    np.testing.assert_allclose(scores.theta, theta, atol=1e-4)  # infinite ones where mirt's are
    finite = np.isfinite(theta)
    np.testing.assert_allclose(scores.se[finite], se[finite], rtol=5e-4)


@pytest.mark.parametrize("name", [name for name in names() if "3PL" not in name])
def test_wle_is_mirts_where_jeffreys_prior_is_warms_weight(name: str) -> None:
    numbers, _, fit = load(name)
    scores = irt.score(scored_patterns(name), fit.items, method="WLE")
    np.testing.assert_allclose(scores.theta, numbers["scores"]["WLE"], atol=1e-4)


def test_mirts_wle_of_a_3pl_is_the_mode_under_jeffreys_prior_and_not_warms_estimate() -> None:
    # Warm (1989, eq. 8) weights by J / (2 I); √I, which mirt maximises, is the same without guessing, not with it
    numbers, _, fit = load("LSAT7__3PL")
    responses, theta = scored_patterns("LSAT7__3PL"), np.array(numbers["scores"]["WLE"])
    x = responses.answer.reshape(responses.n_persons, 5)

    def jeffreys(row: np.ndarray) -> float:
        def loss(t: float) -> float:
            log_prob = fit.items.log_prob([t])[fit.items.offsets[:-1] + row, 0].sum()
            return -log_prob - 0.5 * np.log(fit.items.information([t]).sum())

        return float(minimize_scalar(loss, bounds=(-8.0, 8.0), method="bounded", options={"xatol": 1e-8}).x)

    np.testing.assert_allclose([jeffreys(row) for row in x[:6]], theta[:6], atol=1e-4)
    ours = irt.score(responses, fit.items, method="WLE").theta
    assert 0.05 < np.abs(ours - theta).max() < 0.2


@pytest.mark.parametrize("name", names())
def test_information_and_expected_score_are_mirts(name: str) -> None:
    numbers, _, fit = load(name)
    published = numbers["testinfo"]
    told = irt.information(fit.items, published["theta"])
    lowest = len(fit.items) if name.startswith("Science") else 0  # there mirt counts the categories from 1
    np.testing.assert_allclose(told.test, published["info"], atol=1e-9)
    np.testing.assert_allclose(told.expected_score + lowest, published["expected"], atol=1e-9)


# mirt integrates a Rasch test's reliability over N(0, 1), whatever variance it estimated
@pytest.mark.parametrize("name", [name for name in names() if "Rasch" not in name])
def test_marginal_reliability_is_mirts(name: str) -> None:
    numbers, _, fit = load(name)
    sd = float(fit.population.sd[0])
    assert irt.marginal_reliability(fit.items, sd=sd) == pytest.approx(numbers["marginal_rxx"], abs=1e-5)


@pytest.mark.parametrize("name", NARROW)
def test_sum_score_tables_and_empirical_reliability_are_mirts(name: str) -> None:
    numbers, responses, fit = load(name)
    prior, published = (0.0, float(fit.population.sd[0])), numbers["EAPsum"]
    table = irt.sum_score_eap(fit.items, prior=prior)
    np.testing.assert_allclose(table.theta, published["F"], atol=1e-4)
    np.testing.assert_allclose(table.se, published["SE_F"], atol=2e-4)
    np.testing.assert_allclose(table.probability * numbers["N"], published["expected"], atol=1e-2)
    scores = irt.score(responses, fit.items, prior=prior)
    assert scores.reliability == pytest.approx(numbers["empirical_rxx"], abs=1e-4)
