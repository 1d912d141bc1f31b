"""Person fit on simulated answers: lz* is standard normal under the model, and low for those it does not hold for."""

import numpy as np
import pytest
from fitted import bank, calibrated, graded_bank, with_items

from thetaline import irt


@pytest.mark.parametrize("method", ["WLE", "MLE", "MAP"])
def test_lz_star_is_standard_normal_under_the_model_and_lz_is_not(method: str) -> None:
    rng = np.random.default_rng(16)
    items = bank(rng, 40)
    responses = irt.simulate(items, rng.normal(size=4000), rng)
    found = irt.person_fit(with_items(items), responses, method=method)
    assert abs(np.nanmean(found.lz_star)) < 0.07
    assert abs(np.nanstd(found.lz_star) - 1) < 0.05
    assert np.std(found.lz) < 0.97
    assert 0.03 < np.nanmean(found.p < 0.05) < 0.08


def test_persons_who_answer_upside_down_have_the_lowest_lz_star() -> None:
    responses, fit = calibrated()
    b = fit.items.b
    x = responses.answer.reshape(1500, 12).copy()
    x[:20] = b[None] > np.median(b)
    found = irt.person_fit(fit, irt.Responses.from_matrix(x))
    assert found.lz_star[:20].max() < -2
    assert set(range(20)) <= set(found.flagged(0.05).tolist())


def test_polytomous_lz_star_is_standard_normal_too() -> None:
    rng = np.random.default_rng(17)
    items = graded_bank(rng, 20)
    responses = irt.simulate(items, rng.normal(size=3000), rng)
    found = irt.person_fit(irt.calibrate(responses, model="GRM"), responses)
    assert abs(np.nanmean(found.lz_star)) < 0.1
    assert abs(np.nanstd(found.lz_star) - 1) < 0.07


def test_equal_rasch_items_leave_nothing_for_lz_star_to_test() -> None:
    items = irt.Items(ids=range(6), model="Rasch", b=np.zeros(6))
    found = irt.person_fit(with_items(items), irt.Responses.from_matrix(np.tril(np.ones((6, 6)))))
    assert np.isnan(found.lz_star).all()
