"""Calibrations of R mirt 1.47 on seven data sets, and its true maxima on fine grids, where the reference folder is.

Tolerances are those of the folder's README: log-likelihood 1e-3, a and b 2e-3 (1e-2 for 3PL), standard errors 1 %.
"""

import csv
import json
import warnings

import numpy as np
import pytest

from thetaline import irt
from thetaline.errors import ModelWarning

CALIBRATED = [
    *((name, "2PL") for name in ("Abortion", "LSAT6", "LSAT7", "SLF", "WIRS", "deAyala")),
    *((name, "Rasch") for name in ("LSAT6", "LSAT7", "SLF", "WIRS", "Science")),
    ("LSAT7", "1PL"),
    ("LSAT6", "3PLprior"),
    ("LSAT7", "3PLprior"),
    ("Science", "gpcm"),
    ("Science", "graded"),
]
HIGH_RESOLUTION = [
    (name, model) for name in ("Abortion", "LSAT6", "LSAT7", "SLF", "WIRS", "deAyala") for model in ("Rasch", "2PL")
]
MODELS = {"3PLprior": "3PL", "3PL": "3PL", "graded": "GRM", "gpcm": "GPCM"}


def answers(shared, name):
    with (shared / "reference" / "data" / f"{name}.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    matrix = np.array([[float(cell) if cell not in ("", "NA") else np.nan for cell in row] for row in rows])
    return irt.Responses.from_matrix(matrix - (1 if name == "Science" else 0))


def calibrated(shared, name, model, **options):
    family = "PCM" if (name, model) == ("Science", "Rasch") else MODELS.get(model, model)
    priors = irt.Priors(c=irt.LogitNormal(-1.39, 0.5)) if model == "3PLprior" else None
    return irt.calibrate(answers(shared, name), model=family, priors=priors, **options)


def reference(shared, folder, name, model):
    return json.loads((shared / "reference" / folder / f"{name}__{model}.json").read_text())


def log_likelihood(numbers):
    value = numbers["logLik"]
    return value[0] if isinstance(value, list) else value


def item_table(numbers, key):
    """Rows of a, b (or b1, b2, ..) per item from the reference's `irt` or `irt_se` block."""
    part = "SE" if key.endswith("_se") else "par"
    rows = [value[part] for name, value in numbers[key].items() if name != "GroupPars"]
    columns = ["a", *sorted(column for column in rows[0] if column.startswith("b"))]
    return np.array([[np.nan if row[column] is None else float(row[column]) for column in columns] for row in rows])


@pytest.mark.parametrize(("name", "model"), CALIBRATED)
def test_calibrations_on_the_same_nodes_agree_with_mirt(shared, name, model):
    numbers = reference(shared, "mirt", name, model)
    fit = calibrated(shared, name, model, grid=irt.Grid(61, -6.0, 6.0))
    assert fit.log_likelihood == pytest.approx(log_likelihood(numbers), abs=1e-3)
    if not numbers.get("secondordertest", True):
        return
    ours = np.column_stack([fit.items.a, fit.items.b])
    np.testing.assert_allclose(ours, item_table(numbers, "irt"), atol=1e-2 if "3PL" in model else 2e-3)


@pytest.mark.parametrize(("name", "model"), CALIBRATED)
def test_standard_errors_agree_with_mirt(shared, name, model):
    numbers = reference(shared, "mirt", name, model)
    if not numbers.get("secondordertest", True) or "irt_se" not in numbers:
        pytest.skip("the reference's own optimiser did not reach a maximum")
    fit = calibrated(shared, name, model, grid=irt.Grid(61, -6.0, 6.0), tol=1e-6)
    if model == "gpcm":  # mirt's conversion of the first step's error disagrees with its own covariance matrix
        compare_free_errors(fit, numbers)
        return
    se = fit.standard_errors()
    ours, theirs = np.column_stack([se.a, se.b]), item_table(numbers, "irt_se")
    np.testing.assert_allclose(ours, theirs, rtol=0.03 if "3PL" in model else 0.01)


def compare_free_errors(fit, numbers):
    """Slopes and intercepts, before anything is converted."""
    covariance = fit.covariance(scale="free")
    table = {key: row["SE"] for key, row in numbers["slope_intercept_se"].items() if key != "GroupPars"}
    names = {"slope": "a1", "intercept1": "d1", "intercept2": "d2", "intercept3": "d3"}
    rows = list(table.values())
    theirs = [rows[item][names[name]] for item, name in zip(covariance.ids, covariance.names, strict=True)]
    np.testing.assert_allclose(np.sqrt(np.diagonal(covariance.matrix)), theirs, rtol=0.01)


@pytest.mark.parametrize(("name", "model"), HIGH_RESOLUTION)
def test_the_true_maximum_is_reached_on_nodes_of_our_own_choice(shared, name, model):
    numbers = reference(shared, "mirt_hires", name, model)
    fit = calibrated(shared, name, model)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(log_likelihood(numbers), abs=1e-3)


def test_rasch_on_abortion_finds_the_large_variance_that_a_fixed_grid_cannot(shared):
    fit = calibrated(shared, "Abortion", "Rasch")
    assert fit.population.sd[0] ** 2 == pytest.approx(18.9, abs=0.1)  # mirt on ±6: 7.4, log-likelihood 17 lower


def test_the_three_parameter_model_without_priors_is_at_least_as_likely_as_mirts(shared):
    with pytest.warns(ModelWarning, match="3PL without a prior on c"):
        fit = calibrated(shared, "LSAT7", "3PL", grid=irt.Grid(61, -6.0, 6.0))
    assert fit.log_likelihood > log_likelihood(reference(shared, "mirt", "LSAT7", "3PL")) - 1e-3
    assert fit.ids_with(irt.Finding.ASYMPTOTE)


def test_no_warning_is_given_where_c_has_a_prior(shared):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        calibrated(shared, "LSAT6", "3PLprior")
