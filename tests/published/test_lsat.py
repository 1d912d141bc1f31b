"""LSAT 6 and 7 (Bock & Lieberman, 1970, p. 187): 1,000 persons, five items; the calibrations that others printed.

Parameters and standard errors: R mirt 1.47, 61 nodes on ±6, run to a change below 1e-8; its optimiser's precision is
about 1e-4 in the parameters.  log-likelihoods of LSAT 6: Bock & Aitkin (1981) give the same to two places.
"""

import numpy as np
import pytest

from thetaline import irt

MIRT_GRID = irt.Grid(61, -6.0, 6.0)

LSAT6 = {
    "00000": 3, "00001": 6, "00010": 2, "00011": 11, "00100": 1, "00101": 1, "00110": 3, "00111": 4, "01000": 1,
    "01001": 8, "01011": 16, "01101": 3, "01110": 2, "01111": 15, "10000": 10, "10001": 29, "10010": 14, "10011": 81,
    "10100": 3, "10101": 28, "10110": 15, "10111": 80, "11000": 16, "11001": 56, "11010": 21, "11011": 173,
    "11100": 11, "11101": 61, "11110": 28, "11111": 298,
}  # fmt: skip
LSAT7 = {
    "00000": 12, "00001": 19, "00010": 1, "00011": 7, "00100": 3, "00101": 19, "00110": 3, "00111": 17, "01000": 10,
    "01001": 5, "01010": 3, "01011": 7, "01100": 7, "01101": 23, "01110": 8, "01111": 28, "10000": 7, "10001": 39,
    "10010": 11, "10011": 34, "10100": 14, "10101": 51, "10110": 15, "10111": 90, "11000": 6, "11001": 25, "11010": 7,
    "11011": 35, "11100": 18, "11101": 136, "11110": 32, "11111": 308,
}  # fmt: skip

PUBLISHED = {
    ("LSAT6", "2PL"): {
        "log_likelihood": -2466.65338,
        "a": [0.82566, 0.72274, 0.89087, 0.68837, 0.65686],
        "b": [-3.35881, -1.37006, -0.27967, -1.86638, -3.12591],
        "se_a": [0.25811, 0.18668, 0.23276, 0.18514, 0.20991],
        "se_b": [0.86647, 0.30749, 0.09962, 0.43432, 0.87122],
    },
    ("LSAT6", "Rasch"): {
        "log_likelihood": -2466.93760,
        "sd": 0.570237**0.5,
        "b": [-2.73002, -0.99861, -0.23985, -1.30645, -2.09941],
        "se_b": [0.13044, 0.07918, 0.07177, 0.08464, 0.10545],
    },
    ("LSAT7", "2PL"): {
        "log_likelihood": -2658.80511,
        "a": [0.98755, 1.08084, 1.70748, 0.76499, 0.73567],
        "b": [-1.87926, -0.74754, -1.05724, -0.63530, -2.52076],
        "se_a": [0.17719, 0.16876, 0.32108, 0.13412, 0.15113],
        "se_b": [0.26397, 0.10925, 0.11536, 0.13012, 0.44625],
    },
    ("LSAT7", "1PL"): {
        "log_likelihood": -2664.90089,
        "a": [1.01127] * 5,
        "b": [-1.84745, -0.78219, -1.44470, -0.51570, -1.97077],
        "se_a": [0.06494] * 5,
        "se_b": [0.13013, 0.08705, 0.11097, 0.08083, 0.13660],
    },
    ("LSAT7", "Rasch"): {
        "log_likelihood": -2664.90089,
        "sd": 1.022647**0.5,
        "b": [-1.86826, -0.79100, -1.46098, -0.52150, -1.99297],
        "se_b": [0.10043, 0.08116, 0.09131, 0.07872, 0.10370],
    },
}


def responses(name):
    table = {"LSAT6": LSAT6, "LSAT7": LSAT7}[name]
    matrix = [[int(answer) for answer in pattern] for pattern in table]
    return irt.Responses.from_matrix(matrix, counts=list(table.values()))


@pytest.mark.parametrize("table", [LSAT6, LSAT7])
def test_the_tables_hold_a_thousand_persons(table):
    assert sum(table.values()) == 1000


@pytest.mark.parametrize(("name", "model"), PUBLISHED)
@pytest.mark.parametrize("grid", [MIRT_GRID, None], ids=["mirt's nodes", "chosen nodes"])
def test_parameters_and_likelihood_are_the_published_ones(name, model, grid):
    fit, numbers = irt.calibrate(responses(name), model=model, grid=grid), PUBLISHED[name, model]
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(numbers["log_likelihood"], abs=1e-3)
    np.testing.assert_allclose(fit.items.b, numbers["b"], atol=2e-3)
    np.testing.assert_allclose(fit.items.a, numbers.get("a", np.ones(5)), atol=2e-3)
    assert fit.population.sd[0] == pytest.approx(numbers.get("sd", 1.0), abs=2e-3)


@pytest.mark.parametrize(("name", "model"), PUBLISHED)
def test_standard_errors_are_the_published_ones(name, model):
    se, numbers = irt.calibrate(responses(name), model=model).standard_errors(), PUBLISHED[name, model]
    assert se.form == "full matrix"
    np.testing.assert_allclose(se.b, numbers["se_b"], rtol=0.01)
    np.testing.assert_allclose(se.a, numbers.get("se_a", np.full(5, np.nan)), rtol=0.01)


@pytest.mark.parametrize(("model", "n"), [("Rasch", 6), ("1PL", 6), ("2PL", 10)])
def test_shared_slopes_and_free_spreads_count_once(model, n):
    assert irt.calibrate(responses("LSAT6"), model=model).n_parameters == n


def test_aic_and_bic_count_ten_parameters_and_a_thousand_persons():
    fit = irt.calibrate(responses("LSAT7"), model="2PL", grid=MIRT_GRID)
    assert fit.n_parameters == 10
    assert fit.aic == pytest.approx(5337.610, abs=2e-3)  # R mirt 1.47
    assert fit.bic == pytest.approx(2 * 2658.80511 + 10 * np.log(1000), abs=2e-3)


def test_the_three_parameter_model_with_a_prior_is_that_of_mirt():
    fit = irt.calibrate(
        responses("LSAT7"), model="3PL", grid=MIRT_GRID, priors=irt.Priors(c=irt.LogitNormal(-1.39, 0.5))
    )
    assert fit.log_likelihood == pytest.approx(-2659.16774, abs=1e-3)  # R mirt 1.47, logit(g) ~ N(-1.39, 0.5)
