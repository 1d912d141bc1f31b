"""Laws that every family of item response functions keeps."""

import numpy as np
import pytest

from thetaline.errors import ItemsError
from thetaline.irt.families import FAMILIES, Published, model_names

THETA = np.linspace(-6.0, 6.0, 25)
FAR = np.array([-400.0, 400.0])


def drawn(family, n_items=7):
    """Free parameters of random items, some of them running backwards where the family allows it."""
    rng = np.random.default_rng(11)
    k = 4 if family.polytomous else 2
    nothing = np.full(n_items, np.nan)
    c = rng.uniform(0.05, 0.3, n_items) if family.has_c else nothing
    d = rng.uniform(0.8, 0.97, n_items) if family.has_d else nothing
    b = np.sort(rng.normal(size=(n_items, k - 1)), axis=1) * 1.5
    return family.from_published(Published(rng.lognormal(0, 0.4, n_items), b, c, d))


def differences(function, free, step=1e-6):
    """Central differences in every free parameter, stacked behind the item axis."""
    nudges = step * np.eye(free.shape[1])
    return np.stack([(function(free + nudge) - function(free - nudge)) / (2 * step) for nudge in nudges], axis=1)


@pytest.fixture(params=list(FAMILIES.values()), ids=list(FAMILIES))
def family(request):
    return request.param


def test_category_probabilities_sum_to_one(family):
    log_prob = family.log_prob(drawn(family), THETA)
    np.testing.assert_allclose(np.exp(log_prob).sum(axis=1), 1.0, atol=1e-12)


def test_log_probabilities_stay_finite_far_out(family):
    free = drawn(family)
    assert np.isfinite(family.log_prob(free, FAR)).all()
    assert np.isfinite(family.d_log_prob(free, FAR)).all()


def test_derivatives_are_those_of_the_log_probabilities(family):
    free = drawn(family)
    expected = differences(lambda values: family.log_prob(values, THETA), free)
    np.testing.assert_allclose(family.d_log_prob(free, THETA), expected, atol=1e-7)


def at_nodes(family, free, theta=THETA):
    return family.curve(family.coefficients(free)[:, None, :], theta)


def test_a_curve_is_that_of_the_log_probabilities_with_its_derivatives_in_theta(family):
    free, step = drawn(family), 1e-4
    before, here, after = (family.log_prob(free, THETA + shift).swapaxes(1, 2) for shift in (-step, 0.0, step))
    curve = at_nodes(family, free)
    np.testing.assert_allclose(curve.p, np.exp(here), atol=1e-14)
    np.testing.assert_allclose(curve.s, (after - before) / (2 * step), atol=1e-6)
    np.testing.assert_allclose(curve.ds, (after - 2 * here + before) / step**2, atol=1e-5)


def test_curve_slopes_information_and_warms_bias_follow_from_the_probabilities(family):
    free, step = drawn(family), 1e-4
    before, p, after = (np.exp(family.log_prob(free, THETA + shift)).swapaxes(1, 2) for shift in (-step, 0.0, step))
    slope, bend = (after - before) / (2 * step), (after - 2 * p + before) / step**2
    curve = at_nodes(family, free)
    np.testing.assert_allclose(curve.slope, slope, atol=1e-6)
    np.testing.assert_allclose(curve.information, (slope**2 / p).sum(axis=-1), atol=1e-6)
    np.testing.assert_allclose(curve.warm_bias, (slope * bend / p).sum(axis=-1), atol=1e-5)


def test_the_derivatives_of_an_answer_are_those_of_its_category(family):
    free, rng = drawn(family), np.random.default_rng(3)
    item = rng.integers(0, len(free), 200)
    theta, answer = rng.normal(0.0, 3.0, 200), rng.integers(0, 4 if family.polytomous else 2, 200).astype(np.uint8)
    curve, row = family.curve(family.coefficients(free)[item], theta), np.arange(200)
    found = family.answered(family.coefficients(free)[item], theta, answer)
    np.testing.assert_allclose(found.s, curve.s[row, answer], rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(found.ds, curve.ds[row, answer], rtol=1e-9, atol=1e-14)


def test_no_curve_bends_more_than_its_bound_and_without_asymptotes_one_nearly_does(family):
    free = drawn(family)
    bends = -at_nodes(family, free, np.linspace(-12.0, 12.0, 4001)).ds.min(axis=(1, 2))
    bound = family.curvature_bound(free, 4 if family.polytomous else 2)
    assert (bends <= bound * (1 + 1e-12)).all()
    if not (family.has_c or family.polytomous):
        np.testing.assert_allclose(bends, bound, rtol=1e-4)


def test_curves_stay_finite_far_out(family):
    curve = at_nodes(family, drawn(family), FAR)
    assert all(np.isfinite(part).all() for part in curve)


def test_published_and_free_parameters_are_inverse_to_each_other(family):
    free = drawn(family)
    np.testing.assert_allclose(family.from_published(family.to_published(free)), free, atol=1e-10)


def test_the_published_jacobian_is_the_derivative_of_the_published_parameters(family):
    free = drawn(family)

    def published(values):
        at = family.to_published(values)
        tail = [at.c[:, None]] * family.has_c + [at.d[:, None]] * family.has_d
        return np.concatenate([at.a[:, None], at.b, *tail], axis=1)

    expected = np.moveaxis(differences(published, free), 1, 2)
    np.testing.assert_allclose(family.published_jacobian(free), expected, atol=1e-6)


def test_standardising_theta_leaves_the_curves_where_they_are(family):
    free, mean, sd = drawn(family), 0.7, 1.9
    moved = family.standardised(free, mean, sd)
    np.testing.assert_allclose(family.log_prob(moved, (THETA - mean) / sd), family.log_prob(free, THETA), atol=1e-10)


def test_starting_values_are_a_model_whatever_the_proportions(family):
    k = 4 if family.polytomous else 2
    one_sided = np.eye(k)
    assert family.valid(family.start(np.vstack([one_sided, np.full(k, 1 / k)]))).all()


def test_crossed_asymptotes_and_disordered_thresholds_are_no_models():
    crossed = np.array([[1.0, 0.0, 1.0, -1.0]])
    assert not FAMILIES["4PL"].valid(crossed).any()
    assert not FAMILIES["GRM"].valid(np.array([[1.0, 0.0, 0.5]])).any()


def test_an_unknown_model_is_named_with_the_known_ones():
    with pytest.raises(ItemsError, match="unknown model '5PL'; choose one of Rasch, 1PL"):
        model_names(["2PL", "5PL"])
