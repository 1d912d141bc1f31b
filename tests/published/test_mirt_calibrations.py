"""Calibrations of R mirt 1.47 on seven data sets, and its true maxima on fine grids."""

import warnings

import mirt_reference
import numpy as np
import pytest

from thetaline import irt
from thetaline.errors import ModelWarning

# without a prior on c the likelihood has no clear maximum; Rasch variances of 2 and more reach beyond ±6 nodes
NO_CLEAR_MAXIMUM = {"LSAT7__3PL", "Abortion__Rasch", "deAyala__Rasch"}
CALIBRATED = [name for name in mirt_reference.names() if name not in NO_CLEAR_MAXIMUM]
TRUE_MAXIMA = mirt_reference.true_maxima()


def calibrated(name, **options):
    priors = irt.Priors(c=irt.LogitNormal(-1.39, 0.5)) if name.endswith("3PLprior") else None
    dataset = name.split("__")[0]
    return irt.calibrate(mirt_reference.answers(dataset), model=mirt_reference.family(name), priors=priors, **options)


def table(numbers):
    """Columns a, b (or b1, b2, b3)."""
    return np.column_stack([mirt_reference.column(numbers[key]) for key in sorted(numbers) if key != "g"])


@pytest.mark.parametrize("name", CALIBRATED)
@pytest.mark.parametrize("grid", [mirt_reference.MIRT_GRID, None], ids=["mirt's nodes", "chosen nodes"])
def test_calibrations_agree_with_mirt(name, grid):
    fit = calibrated(name, grid=grid)
    numbers = mirt_reference.numbers_of(name)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(numbers["logLik"], abs=1e-3)
    ours = np.column_stack([fit.items.a, fit.items.b])
    np.testing.assert_allclose(ours, table(numbers["irt"]), atol=1e-2 if "3PL" in name else 2e-3)
    assert fit.population.sd[0] ** 2 == pytest.approx(numbers["COV_11"], abs=2e-3)


@pytest.mark.parametrize("name", CALIBRATED)
def test_parameters_are_counted_as_mirt_counts_them(name):
    fit, numbers = calibrated(name, grid=mirt_reference.MIRT_GRID), mirt_reference.numbers_of(name)
    assert fit.n_parameters == numbers["nest"]
    np.testing.assert_allclose([fit.aic, fit.bic], [numbers["AIC"], numbers["BIC"]], atol=2e-3)


@pytest.mark.parametrize("name", CALIBRATED)
def test_standard_errors_agree_with_mirt(name):
    numbers = mirt_reference.numbers_of(name)
    fit = calibrated(name, grid=mirt_reference.MIRT_GRID, tol=1e-6)
    if name.endswith("gpcm"):  # mirt's conversion of the first step's error disagrees with its own covariance matrix
        compare_free_errors(fit, numbers)
        return
    se = fit.standard_errors()
    assert se.form == "full matrix"
    ours, theirs = np.column_stack([se.a, se.b]), table(numbers["irt_se"])
    np.testing.assert_allclose(ours, theirs, rtol=0.03 if "3PL" in name else 0.01)


def compare_free_errors(fit, numbers):
    """Slopes and intercepts, before anything is converted."""
    covariance = fit.covariance(scale="free")
    names = {"slope": "a1", "intercept1": "d1", "intercept2": "d2", "intercept3": "d3"}
    rows, theirs = {item: k for k, item in enumerate(numbers["items"])}, numbers["slope_intercept_se"]
    expected = [theirs[names[name]][rows[item]] for item, name in zip(covariance.ids, covariance.names, strict=True)]
    np.testing.assert_allclose(np.sqrt(np.diagonal(covariance.matrix)), expected, rtol=0.01)


@pytest.mark.parametrize("name", TRUE_MAXIMA)
def test_the_true_maximum_is_reached_on_nodes_of_our_own_choice(name):
    fit, numbers = calibrated(name), TRUE_MAXIMA[name]
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(numbers["logLik"], abs=1e-3)
    np.testing.assert_allclose(fit.items.b, numbers["b"], atol=2e-3)
    np.testing.assert_allclose(fit.items.a, numbers["a"], rtol=2e-3)
    assert fit.population.sd[0] ** 2 == pytest.approx(numbers["COV_11"], rel=2e-3)


@pytest.mark.parametrize("name", TRUE_MAXIMA)
def test_standard_errors_at_the_true_maximum_are_mirts(name):
    se, numbers = calibrated(name).standard_errors(), TRUE_MAXIMA[name]
    np.testing.assert_allclose(se.b, numbers["se_b"], rtol=0.01)
    np.testing.assert_allclose(se.a, mirt_reference.column(numbers["se_a"]), rtol=0.01)


def test_rasch_on_abortion_finds_the_large_variance_that_a_fixed_grid_cannot():
    on_six = mirt_reference.numbers_of("Abortion__Rasch")  # on ±6: 7.4, log-likelihood 17 lower
    fit = calibrated("Abortion__Rasch")
    assert fit.population.sd[0] ** 2 == pytest.approx(18.855, abs=0.05)
    assert fit.log_likelihood > on_six["logLik"] + 17.0


def test_the_three_parameter_model_without_priors_is_at_least_as_likely_as_mirts():
    with pytest.warns(ModelWarning, match="3PL without a prior on c"):
        fit = calibrated("LSAT7__3PL", grid=mirt_reference.MIRT_GRID)
    assert fit.log_likelihood > mirt_reference.numbers_of("LSAT7__3PL")["logLik"] - 1e-3
    assert fit.ids_with(irt.Finding.ASYMPTOTE)


def test_no_warning_is_given_where_c_has_a_prior():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        calibrated("LSAT6__3PLprior")
