import numpy as np
import pytest

from thetaline import irt
from thetaline.jobs.calibration.fits import Fits, Slopes


def thin(seed: int = 5, n_persons: int = 300, n_items: int = 60, n_answers: int = 15) -> irt.Responses:
    rng = np.random.default_rng(seed)
    bank = irt.Items(ids=range(n_items), model="2PL", a=rng.lognormal(0.1, 0.3, n_items), b=rng.normal(size=n_items))
    return irt.simulate(bank, rng.normal(size=n_persons), rng, n_answers=n_answers)


def test_the_joint_mode_of_slopes_lies_above_the_marginal_one_on_few_answers_and_hardly_on_many() -> None:
    few = Fits(thin(), "2PL").on_its_own_scale()[1]
    more = Fits(thin(n_persons=4000, n_answers=40), "2PL").on_its_own_scale()[1]
    assert 0.01 < few.excess < 0.1
    assert abs(more.excess) < 0.005
    assert few.spread == pytest.approx(0.3, abs=0.12)


def test_slopes_that_were_not_held_lose_their_bias_the_vaguer_the_more() -> None:
    responses = thin()
    fits = Fits(responses, "2PL")
    free, slopes = fits.on_its_own_scale()
    anchors = free.items.take(list(range(20)))
    fit = fits.beside(anchors, slopes)
    lost = np.log(fit.items.a / fits.without_excess(fit, slopes).a)
    np.testing.assert_array_equal(lost[:20], 0.0)
    assert lost[20:].mean() == pytest.approx(slopes.excess)
    variance = fit.covariance_by_item()[20:, 0, 0] / fit.items.a[20:] ** 2
    np.testing.assert_allclose(lost[20:] / lost[20:].mean(), variance / variance.mean())
    np.testing.assert_array_equal(fits.without_excess(fit, Slopes(excess=0.0)).a, fit.items.a)


@pytest.mark.parametrize("model", ["Rasch", "1PL"])
def test_shared_slopes_have_no_prior_and_no_excess(model: str) -> None:
    fit, slopes = Fits(thin(), model).on_its_own_scale()
    assert slopes.excess == 0.0
    assert fit.converged
    assert np.unique(fit.items.a).size == 1
