"""A new family is one file and one line: what is registered calibrates, scores, links, fits and is drawn."""

import numpy as np
import pytest
from normal_ogive import NORMAL_OGIVE

from thetaline import irt

LOGISTIC_TO_OGIVE = 1.702  # Haley (1952): at most 0.01 apart


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(irt.FAMILIES, NORMAL_OGIVE.name, NORMAL_OGIVE)


def ogive_bank(n_items: int = 20) -> irt.Items:
    rng = np.random.default_rng(5)
    ids = [f"q{number}" for number in range(n_items)]
    return irt.Items(ids=ids, model="2PNO", a=rng.lognormal(-0.4, 0.2, n_items), b=np.linspace(-1.5, 1.5, n_items))


def answers(n_persons: int, seed: int = 1) -> tuple[irt.Responses, np.ndarray]:
    theta = np.random.default_rng(seed).normal(size=n_persons)
    return irt.simulate(ogive_bank(), theta, np.random.default_rng(seed + 1)), theta


def test_it_calibrates_with_standard_errors_that_cover_the_truth() -> None:
    bank, (responses, _theta) = ogive_bank(), answers(4000)
    fit = irt.calibrate(responses, "2PNO")
    errors = fit.standard_errors()
    assert fit.converged
    for truth, found, se in ((bank.a, fit.items.a, errors.a), (bank.b, fit.items.b, errors.b)):
        z = (found - truth) / se
        assert np.abs(z).max() < 4.0
        assert 0.5 < np.sqrt(np.mean(z**2)) < 1.5


def test_its_curve_is_nearly_the_logistic_one_with_the_slope_times_1_702() -> None:
    responses, _ = answers(4000)
    ogive, logistic = irt.calibrate(responses, "2PNO"), irt.calibrate(responses, "2PL")
    assert abs(ogive.log_likelihood - logistic.log_likelihood) < 15.0
    np.testing.assert_allclose(logistic.items.a / ogive.items.a, LOGISTIC_TO_OGIVE, rtol=0.05)


@pytest.mark.parametrize("method", ["EAP", "MAP", "MLE", "WLE"])
def test_it_scores_by_every_method(method: str) -> None:
    responses, theta = answers(1500)
    scores = irt.score(responses, ogive_bank(), method=method)
    finite = np.isfinite(scores.theta)
    assert finite.mean() > 0.95
    z = (scores.theta - theta)[finite] / scores.se[finite]
    if method in ("MLE", "WLE"):
        assert 0.9 < np.sqrt(np.mean(z**2)) < 1.1
    assert np.corrcoef(scores.theta[finite], theta[finite])[0, 1] > 0.85


@pytest.mark.parametrize("method", ["stocking-lord", "haebara", "mean-sigma", "mean-gmean"])
def test_it_links_back_to_its_own_scale_with_standard_errors(method: str) -> None:
    fit = irt.calibrate(answers(4000)[0], "2PNO")
    link = irt.link(
        new=fit.items, reference=ogive_bank().rescaled(1.3, 0.4), method=method, new_covariance=fit.covariance()
    )
    assert abs(link.A - 1.3) < 4.0 * link.se.A
    assert abs(link.B - 0.4) < 4.0 * link.se.B
    assert 0.0 < link.se.A < 0.1


def test_it_is_not_linked_to_items_whose_curve_is_another() -> None:
    fit = irt.calibrate(answers(1000)[0], "2PNO")
    logistic = irt.Items(ids=fit.items.ids, model="2PL", a=fit.items.a, b=fit.items.b)
    link = irt.link(new=fit.items, reference=logistic)
    assert not link.linked
    assert set(link.dropped.values()) == {"2PNO in new, 2PL in reference"}


def test_its_fit_is_tested_and_its_items_are_chosen() -> None:
    responses, _ = answers(2000)
    fit = irt.calibrate(responses, "2PNO")
    found = irt.item_fit(fit, responses)
    assert (found.s_x2_p > 1e-4).all()
    assert irt.next_item(ogive_bank(), 0.0, administered=["q0"]) is not None
    assert irt.information(ogive_bank(), [0.0]).test[0] > 1.0


def test_it_is_drawn() -> None:
    items = ogive_bank().take(["q3", "q9"])
    figure = irt.plot.icc(items, theta=[-1.0, 0.0, 1.0])
    drawn = [line.get_ydata() for line in figure.axes[0].get_lines() if len(line.get_ydata()) == 3]
    np.testing.assert_allclose(drawn, items.expected_score([-1.0, 0.0, 1.0]))
