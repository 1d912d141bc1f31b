"""Laws of scoring: estimates are what they are defined to be, depend on nobody else, and never turn into NaN."""

import numpy as np
import pytest
from banks import MODELS, bank, log_likelihood
from scipy.optimize import brentq

from thetaline import irt
from thetaline.errors import InputError, ItemsError, ResponsesError

METHODS = ("EAP", "MAP", "MLE", "WLE")


def answers(items: irt.Items, n: int = 60, seed: int = 3, **design: object) -> irt.Responses:
    rng = np.random.default_rng(seed)
    return irt.simulate(items, rng.normal(0.0, 1.2, n), rng, **design)


@pytest.mark.parametrize("model", MODELS)
def test_eap_is_the_mean_and_sd_of_the_posterior_on_a_very_fine_grid(model: str) -> None:
    items = bank(model)
    responses = answers(items, n_answers=7)
    scores = irt.score(responses, items, prior=(0.3, 1.4))
    theta = np.linspace(-15.0, 15.0, 6001)
    for n in range(0, 60, 7):
        weight = np.exp(log_likelihood(items, responses, n, theta) - 0.5 * ((theta - 0.3) / 1.4) ** 2)
        mean = weight @ theta / weight.sum()
        assert scores.theta[n] == pytest.approx(mean, abs=2e-7)
        assert scores.se[n] == pytest.approx(np.sqrt(weight @ (theta - mean) ** 2 / weight.sum()), abs=2e-7)


@pytest.mark.parametrize("model", MODELS)
def test_map_and_mle_are_the_highest_points_of_their_objectives(model: str) -> None:
    items = bank(model)
    responses = answers(items)
    theta = np.linspace(-12.0, 12.0, 4801)
    for method, precision in (("MAP", 1 / 1.3**2), ("MLE", 0.0)):
        scores = irt.score(responses, items, method=method, prior=(-0.2, 1.3))
        for n in np.flatnonzero(np.isfinite(scores.theta))[::5]:
            value = log_likelihood(items, responses, n, np.append(theta, scores.theta[n]))
            value -= 0.5 * precision * (np.append(theta, scores.theta[n]) + 0.2) ** 2
            assert value[-1] >= value.max() - 1e-12
            near = scores.theta[n] + np.array([-1e-4, 0.0, 1e-4])
            bend = np.diff(log_likelihood(items, responses, n, near), 2)[0] / 1e-8 - precision
            assert scores.se[n] == pytest.approx((-bend) ** -0.5, rel=1e-4)


@pytest.mark.parametrize("model", MODELS)
def test_wle_solves_warms_equation(model: str) -> None:
    items = bank(model)
    responses = answers(items, n=20)
    scores = irt.score(responses, items, method="WLE")
    assert np.isfinite(scores.theta).all()

    def warm(theta: float, n: int) -> float:
        e = 1e-4
        p = np.exp(items.log_prob([theta - e, theta, theta + e]))
        first, second = (p[:, 2] - p[:, 0]) / (2 * e), (p[:, 2] - 2 * p[:, 1] + p[:, 0]) / e**2
        near = log_likelihood(items, responses, n, np.array([theta - e, theta + e]))
        return (near[1] - near[0]) / (2 * e) + (first * second / p[:, 1]).sum() / (2 * (first**2 / p[:, 1]).sum())

    for n in range(20):
        root = brentq(warm, scores.theta[n] - 0.5, scores.theta[n] + 0.5, args=(n,), xtol=1e-9)
        assert scores.theta[n] == pytest.approx(root, abs=1e-5)
        assert scores.se[n] == pytest.approx(items.information([scores.theta[n]]).sum() ** -0.5, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_person_is_scored_alike_alone_in_company_and_in_another_order(method: str) -> None:
    items = bank("2PL")
    x = np.random.default_rng(4).integers(0, 2, (40, 12)).astype(float)
    x[np.random.default_rng(5).random((40, 12)) < 0.5] = np.nan
    x[0] = [1.0, 0.0, *[np.nan] * 10]
    prior = (np.linspace(-1.0, 3.0, 40), np.linspace(0.2, 3.0, 40))
    together = irt.score(irt.Responses.from_matrix(x, items=items.ids), items, method=method, prior=prior)
    turned = irt.score(
        irt.Responses.from_matrix(x[::-1, ::-1], items=items.ids[::-1]),
        items,
        method=method,
        prior=(prior[0][::-1], prior[1][::-1]),
    )
    np.testing.assert_allclose(turned.theta[::-1], together.theta, atol=1e-9)
    for n in (0, 7, 39):
        alone = irt.Responses.from_matrix(x[n : n + 1], items=items.ids)
        one = irt.score(alone, items, method=method, prior=(prior[0][n], prior[1][n]))
        np.testing.assert_allclose([one.theta[0], one.se[0]], [together.theta[n], together.se[n]], atol=1e-8)


def test_a_posterior_carried_forward_agrees_with_all_answers_at_once_where_it_is_normal() -> None:
    items = bank("2PL", n=400)
    responses = answers(items, n=5)
    at_once = irt.score(responses, items)
    first = irt.Responses.from_matrix(_matrix(responses, 400)[:, :200], items=items.ids[:200])
    second = irt.Responses.from_matrix(_matrix(responses, 400)[:, 200:], items=items.ids[200:])
    half = irt.score(first, items)
    carried = irt.score(second, items, prior=(half.theta, half.se))
    np.testing.assert_allclose(carried.theta, at_once.theta, atol=0.02)


def _matrix(responses: irt.Responses, n_items: int) -> np.ndarray:
    x = np.full((responses.n_persons, n_items), np.nan)
    x[responses.person, responses.item] = responses.answer
    return x


@pytest.mark.parametrize("method", METHODS)
def test_two_thousand_items_a_person_whose_likelihood_underflows_give_a_score_near_the_truth(method: str) -> None:
    rng = np.random.default_rng(6)
    items = irt.Items(ids=range(2000), a=rng.lognormal(0.2, 0.3, 2000), b=rng.normal(0.0, 1.5, 2000))
    theta = np.array([-6.0, -1.0, 0.0, 2.0, 5.0])
    scores = irt.score(irt.simulate(items, theta, rng), items, method=method)
    assert np.isfinite(scores.theta).all()
    assert (np.abs(scores.theta - theta) < 5 * scores.se).all()
    assert (scores.se < 0.4).all()


def test_answers_far_beyond_the_prior_widen_the_range_of_nodes() -> None:
    items = irt.Items(ids=range(300), a=np.full(300, 1.5), b=np.linspace(6.0, 12.0, 300))
    x = (np.arange(300) < 250).astype(float)[None, :]
    scores = irt.score(irt.Responses.from_matrix(x, items=items.ids), items, prior=(0.0, 0.5))
    theta = np.linspace(-5.0, 20.0, 20001)
    weight = log_likelihood(items, irt.Responses.from_matrix(x), 0, theta) - 0.5 * (theta / 0.5) ** 2
    weight = np.exp(weight - weight.max())
    assert scores.theta[0] == pytest.approx(weight @ theta / weight.sum(), abs=1e-7)
    assert scores.theta[0] > 6.5 * 0.5


@pytest.mark.parametrize("method", METHODS)
def test_persons_without_answers_are_named(method: str) -> None:
    items = bank("2PL", n=3)
    responses = irt.Responses.from_matrix([[1, 0, 1], [np.nan] * 3], items=items.ids, persons=["ann", "bob"])
    scores = irt.score(responses, items, method=method, prior=(0.5, 2.0))
    assert scores.notes["bob"] == "no answers"
    expected = [0.5, 2.0] if method in {"EAP", "MAP"} else [np.nan, np.inf]
    np.testing.assert_array_equal([scores.theta[1], scores.se[1]], expected)


@pytest.mark.parametrize("method", METHODS)
def test_rescaling_items_and_prior_rescales_the_scores(method: str) -> None:
    items = bank("GRM")
    responses = answers(items)
    plain = irt.score(responses, items, method=method).rescaled(1.7, -0.4)
    moved = irt.score(responses, items.rescaled(1.7, -0.4), method=method, prior=(-0.4, 1.7))
    np.testing.assert_allclose(moved.theta, plain.theta, atol=1e-6)
    np.testing.assert_allclose(moved.se, plain.se, rtol=1e-6)


def test_items_that_the_bank_lacks_are_named() -> None:
    responses = irt.Responses.from_long(["u", "u"], ["i0", "ghost"], [1, 0])
    with pytest.raises(ItemsError, match="ghost"):
        irt.score(responses, bank("2PL"))


def test_answers_beyond_the_categories_are_an_error() -> None:
    responses = irt.Responses.from_long(["u", "u"], ["i0", "i1"], [1, 2])
    with pytest.raises(ResponsesError, match=r"items \['i1'\], first answer 2 where 0 … 1 are possible"):
        irt.score(responses, bank("2PL"))


def test_what_is_no_method_is_refused() -> None:
    items = bank("2PL")
    responses = answers(items, n=4)
    with pytest.raises(InputError, match="unknown scoring method 'MEAN'; known are EAP, MAP, MLE, WLE"):
        irt.score(responses, items, method="MEAN")


def test_scores_cannot_be_written_to_and_move_only_to_a_scale() -> None:
    scores = irt.score(irt.Responses.from_matrix([[1, 0]]), irt.Items(ids=[0, 1], a=[1.0, 1.0], b=[0.0, 0.5]))
    for column in (scores.theta, scores.se, scores.rescaled(2.0, 0.5).theta):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 0.0
    with pytest.raises(InputError, match="A > 0"):
        scores.rescaled(-1.0, 0.0)


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ((0.0, 0.0), "standard deviations above 0, not 0.0"),
        ((np.nan, 1.0), "finite means, not nan"),
        ((0.0,), r"a pair \(mean, sd\) or a fit's population, not tuple \(0.0,\)"),
        (None, "a pair .* not None"),
        (([0.0, 1.0, 2.0], 1.0), r"shape \(3,\); one number or \(1,\)"),
    ],
)
def test_what_is_no_prior_is_refused_with_its_value(prior, message) -> None:
    with pytest.raises(InputError, match=message):
        irt.score(irt.Responses.from_matrix([[1]]), irt.Items(ids=[0], a=[1.0], b=[0.0]), prior=prior)


@pytest.mark.parametrize("method", ["EAP", "MAP"])
def test_a_prior_that_says_nothing_is_refused_before_it_takes_the_memory(method: str) -> None:
    bank = irt.Items(ids=["a", "b"], model="Rasch", b=[-1.0, 1.0])
    responses = irt.Responses.from_matrix([[1, 0]], items=bank.ids)
    assert irt.score(responses, bank, method=method, prior=(0.0, 1000.0)).theta == pytest.approx(0.0, abs=1e-4)
    with pytest.raises(InputError, match=r"the prior reaches from -6e\+08 to 6e\+08, so far that it says nothing"):
        irt.score(responses, bank, method=method, prior=(0.0, 1e8))


def test_a_prior_that_says_all_takes_no_more_nodes_than_another() -> None:
    responses, items = irt.Responses.from_matrix([[1, 0], [1, 1]]), irt.Items(ids=[0, 1], a=[1.0, 1.2], b=[0.0, 0.5])
    scores = irt.score(responses, items, prior=(0.37, 1e-8))
    np.testing.assert_allclose(scores.theta, 0.37, atol=1e-9)
    np.testing.assert_allclose(scores.se, 1e-8, rtol=1e-6)


@pytest.mark.parametrize("method", ["EAP", "MAP", "MLE", "WLE"])
def test_scores_do_not_depend_on_the_order_of_persons_and_items(method) -> None:
    rng = np.random.default_rng(12)
    items = irt.Items(ids=range(40), model="3PL", a=rng.lognormal(0, 0.4, 40), b=rng.normal(size=40), c=[0.2] * 40)
    x = rng.integers(0, 2, (300, 40)).astype(float)
    x[rng.random(x.shape) < 0.6] = np.nan
    persons, columns = rng.permutation(300), rng.permutation(40)
    one = irt.score(irt.Responses.from_matrix(x), items, method=method)
    shuffled = irt.Responses.from_matrix(x[persons][:, columns], items=columns.tolist())
    np.testing.assert_allclose(irt.score(shuffled, items, method=method).theta, one.theta[persons], rtol=0, atol=1e-12)


def test_reliability_counts_persons_as_often_as_they_occur_and_those_without_answers_not_at_all() -> None:
    items = bank("2PL")
    responses = answers(items, n=50)
    x = _matrix(responses, len(items))
    expected = irt.score(irt.Responses.from_matrix(np.repeat(x, 3, axis=0), items=items.ids), items).reliability
    blank = np.vstack([x, np.full((40, len(items)), np.nan)])
    counts = np.repeat([3.0, 5.0], [50, 40])
    with_blanks = irt.score(irt.Responses.from_matrix(blank, items=items.ids, counts=counts), items)
    assert with_blanks.reliability == pytest.approx(expected, abs=1e-12)
    theta, se = with_blanks.theta[:50].repeat(3), with_blanks.se[:50]
    assert expected == pytest.approx(theta.var(ddof=1) / (theta.var(ddof=1) + np.mean(se**2)), abs=1e-12)


def test_rescaled_scores_carry_their_prior_along() -> None:
    items = bank("2PL")
    responses = answers(items, n=5)
    mean, sd = np.linspace(-1.0, 1.0, 5), np.linspace(0.5, 2.0, 5)
    moved = irt.score(responses, items, prior=(mean, sd)).rescaled(1.7, -0.4)
    assert moved.prior is not None
    np.testing.assert_allclose(moved.prior, (1.7 * mean - 0.4, 1.7 * sd))
    again = irt.score(responses, items.rescaled(1.7, -0.4), prior=moved.prior)
    np.testing.assert_allclose(again.theta, moved.theta, atol=1e-6)
    assert irt.score(responses, items, method="WLE").rescaled(1.7, -0.4).prior is None
