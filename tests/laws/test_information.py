"""Laws of information, sum scores, plausible values and reliability."""

import numpy as np
import pytest
from banks import MODELS, bank

from thetaline import irt
from thetaline.errors import InputError


@pytest.mark.parametrize("model", MODELS)
def test_information_is_the_expected_curvature_of_the_log_likelihood(model: str) -> None:
    items, e = bank(model), 1e-4
    theta = np.linspace(-3.0, 3.0, 13)
    p = np.exp(items.log_prob(theta))
    bend = (items.log_prob(theta + e) - 2 * items.log_prob(theta) + items.log_prob(theta - e)) / e**2
    told = irt.information(items, theta)
    np.testing.assert_allclose(told.item, -np.add.reduceat(p * bend, items.offsets[:-1]), atol=1e-6)
    np.testing.assert_allclose(told.test, told.item.sum(axis=0))
    np.testing.assert_allclose(told.se, told.test**-0.5)


@pytest.mark.parametrize("model", MODELS)
def test_the_slope_of_the_expected_score_is_between_its_numerical_neighbours(model: str) -> None:
    items, e = bank(model), 1e-5
    low, high = irt.information(items, [0.3 - e, 0.3 + e]).expected_score
    curve = irt.information(items, [0.3])
    assert low < curve.expected_score[0] < high
    assert curve.expected_score[0] == pytest.approx(items.expected_score([0.3]).sum())


def test_information_at_what_is_no_ability_is_refused() -> None:
    with pytest.raises(InputError, match="theta must be finite"):
        irt.information(bank("2PL"), [0.0, np.nan])


@pytest.mark.parametrize("model", ["Rasch", "3PL", "GRM"])
def test_sum_score_eap_averages_the_patterns_that_give_the_score(model: str) -> None:
    items = bank(model, n=5)
    k = int(items.n_categories[0])
    patterns = np.array(np.meshgrid(*[range(k)] * 5)).reshape(5, -1).T
    responses = irt.Responses.from_matrix(patterns, items=items.ids)
    scores = irt.score(responses, items, prior=(0.2, 1.3))
    theta = np.linspace(-9.0, 9.0, 721)
    weight = np.exp(-0.5 * ((theta - 0.2) / 1.3) ** 2)
    codes = items.offsets[:-1] + patterns
    share = np.exp(items.log_prob(theta)[codes].sum(axis=1)) @ (weight / weight.sum())
    table = irt.sum_score_eap(items, prior=(0.2, 1.3))
    total = patterns.sum(axis=1)
    for s in range(5 * (k - 1) + 1):
        mine = total == s
        mean = np.average(scores.theta[mine], weights=share[mine])
        spread = np.average(scores.se[mine] ** 2 + (scores.theta[mine] - mean) ** 2, weights=share[mine])
        assert table.probability[s] == pytest.approx(share[mine].sum(), abs=1e-8)
        assert table.theta[s] == pytest.approx(mean, abs=1e-6)
        assert table.se[s] == pytest.approx(np.sqrt(spread), abs=1e-6)
    assert table.probability.sum() == pytest.approx(1.0)


def test_plausible_values_have_the_posteriors_mean_and_spread() -> None:
    items = bank("2PL", n=40)
    responses = irt.Responses.from_matrix([[1] * 40, [1, 0] * 20, [np.nan] * 40], items=items.ids)
    drawn = irt.plausible_values(responses, items, np.random.default_rng(1), n=20_000, prior=(0.5, 1.1))
    scores = irt.score(responses, items, prior=(0.5, 1.1))
    np.testing.assert_allclose(drawn.mean(axis=1), scores.theta, atol=0.02)
    np.testing.assert_allclose(drawn.std(axis=1), scores.se, rtol=0.02)
    assert all(len(np.unique(row)) == 20_000 for row in drawn)
    theta = np.linspace(-6.0, 10.0, 3201)
    density = np.exp(items.log_prob(theta)[items.offsets[:-1] + 1].sum(axis=0) - 0.5 * ((theta - 0.5) / 1.1) ** 2)
    below = np.cumsum(density) / density.sum()
    for quantile in (0.05, 0.5, 0.95):
        assert np.quantile(drawn[0], quantile) == pytest.approx(theta[np.searchsorted(below, quantile)], abs=0.03)


def test_reliability_from_the_curve_agrees_with_reliability_from_the_scores() -> None:
    items, rng = bank("2PL", n=40), np.random.default_rng(2)
    theta = rng.normal(size=4000)
    scores = irt.score(irt.simulate(items, theta, rng), items)
    true = np.corrcoef(scores.theta, theta)[0, 1] ** 2
    assert scores.reliability == pytest.approx(true, abs=0.015)
    assert irt.marginal_reliability(items) == pytest.approx(true, abs=0.015)


def test_reliability_of_one_person_is_not_a_number() -> None:
    items = bank("2PL")
    assert np.isnan(irt.score(irt.Responses.from_matrix([[1] * 12], items=items.ids), items).reliability)


def test_scores_become_a_data_frame() -> None:
    items = bank("2PL", n=3)
    responses = irt.Responses.from_matrix([[1, 0, 1], [0, np.nan, 0]], items=items.ids, persons=["ann", "bob"])
    frame = irt.score(responses, items).to_frame()
    assert list(frame.columns) == ["person_id", "theta", "se", "n_answers"]
    assert frame["n_answers"].tolist() == [3, 2]
    assert irt.sum_score_eap(items).to_frame()["score"].tolist() == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("theta", "message"),
    [([0.0, np.nan], "at position 1 it is nan"), ([[0.0]], r"shape \(1, 1\)"), ("a", "theta must be numbers")],
)
def test_what_is_no_ability_is_refused_with_its_place(theta, message) -> None:
    with pytest.raises(InputError, match=message):
        irt.information(irt.Items(ids=[1], a=[1.0], b=[0.0]), theta)


@pytest.mark.parametrize("sd", [0.0, np.nan])
def test_reliability_needs_a_population(sd: float) -> None:
    with pytest.raises(InputError, match="finite standard deviations above 0"):
        irt.marginal_reliability(irt.Items(ids=[1], a=[1.0], b=[0.0]), sd=sd)
