"""Local dependence: pairs of items that share more than ability are flagged, others are not."""

import numpy as np
import pytest
from fitted import bank

from thetaline import irt
from thetaline.errors import InputError
from thetaline.irt.fit_statistics.local_dependence import flagged, residual_correlations


def test_items_that_share_more_than_ability_are_flagged_and_no_others() -> None:
    rng = np.random.default_rng(18)
    items = bank(rng, 25)
    responses = irt.simulate(items, rng.normal(size=2000), rng)
    x = responses.answer.reshape(2000, 25).copy()
    copied = rng.random(2000) < 0.5
    x[copied, 9] = x[copied, 4]
    responses = irt.Responses.from_matrix(x)
    found = irt.local_dependence(irt.calibrate(responses), responses)
    assert found.pairs.tolist() == [[4, 9]]
    assert found.pair_q3[0] > 0.2
    assert found.mean == pytest.approx(-1 / 24, abs=0.02)


def test_q3_is_pairwise_and_the_same_by_sparse_and_by_dense_products() -> None:
    rng = np.random.default_rng(19)
    items = bank(rng, 40)
    responses = irt.simulate(items, rng.normal(size=1500), rng, n_answers=7)
    fit = irt.calibrate(responses, priors=irt.Priors(a=irt.LogNormal(0, 0.5), b=irt.Normal(0, 2)))
    theta = irt.score(responses, fit.items, method="EAP").theta
    q3, n = residual_correlations(fit.items, responses, theta)
    assert responses.density < 0.2
    residual = np.full((1500, 40), np.nan)
    expected = fit.items.expected_score(theta).T
    residual[responses.person, responses.item] = responses.answer - expected[responses.person, responses.item]
    both = np.isfinite(residual[:, 3]) & np.isfinite(residual[:, 17])
    assert n[3, 17] == both.sum()
    assert q3[3, 17] == pytest.approx(np.corrcoef(residual[both, 3], residual[both, 17])[0, 1])


def test_a_large_q3_of_few_persons_is_not_flagged() -> None:
    ids = np.array(list("abc"), dtype=object)
    q3 = np.array([[1.0, 0.6, -0.3], [0.6, 1.0, -0.3], [-0.3, -0.3, 1.0]])
    few, many = (flagged(ids, q3, np.full((3, 3), n), large=0.2, alpha=0.05) for n in (10.0, 1000.0))
    assert few.pairs.tolist() == []
    assert many.pairs.tolist()[0] == ["a", "b"]
    assert many.to_frame()["q3_above_mean"].tolist() == pytest.approx([0.6, -0.3, -0.3])


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0, np.nan])
def test_what_is_no_level_of_significance_is_refused(alpha):
    responses = irt.Responses.from_matrix((np.random.default_rng(2).random((60, 4)) < 0.5).astype(float))
    fit = irt.calibrate(responses, model="Rasch")
    with pytest.raises(InputError, match="alpha must lie between 0 and 1"):
        irt.local_dependence(fit, responses, alpha=alpha)
    with pytest.raises(InputError, match="alpha must lie between 0 and 1"):
        irt.dif(responses, np.repeat([0, 1], 30), alpha=alpha)
    with pytest.raises(InputError, match="alpha must lie between 0 and 1"):
        irt.drift(new=fit.items, reference=fit.items, new_covariance=fit.covariance(), alpha=alpha)
