"""Scores that R mirt 1.47 gave at its own item parameters; sum-score EAP, information and reliability too."""

from pathlib import Path

import mirt_reference
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from thetaline import irt

# mirt cuts its nodes off at ±6 whatever the population: where its sd is above 1.3 its own EAP is the one that is off
NARROW = 1.3
# LSAT7 (Bock & Lieberman 1970), 2PL: mirt 1.47's intercepts and slopes, and its scores of three patterns
LSAT7_A = np.array([0.987546, 1.080837, 1.707478, 0.764990, 0.735673])
LSAT7_D = np.array([1.855856, 0.807970, 1.805206, 0.486000, 1.854458])
LSAT7_SCORES = {  # pattern: EAP, its se, MAP, its se, MLE, WLE
    (0, 0, 0, 0, 1): (-1.527258, 0.673627, -1.494638, 0.649608, -3.124308, -2.599833),
    (0, 0, 1, 0, 1): (-0.766180, 0.672125, -0.794627, 0.644286, -1.342648, -1.284769),
    (0, 0, 0, 1, 1): (-1.185504, 0.665174, -1.179133, 0.637342, -2.101615, -1.861053),
}


def test_lsat7_patterns_have_mirts_scores() -> None:
    items = irt.Items(ids=range(5), a=LSAT7_A, b=-LSAT7_D / LSAT7_A)
    responses = irt.Responses.from_matrix(list(LSAT7_SCORES))
    expected = np.array(list(LSAT7_SCORES.values()))
    for method, columns in (("EAP", (0, 1)), ("MAP", (2, 3)), ("MLE", (4,)), ("WLE", (5,))):
        scores = irt.score(responses, items, method=method)
        np.testing.assert_allclose(scores.theta, expected[:, columns[0]], atol=2e-5)  # the parameters have six decimals
        if len(columns) > 1:
            np.testing.assert_allclose(scores.se, expected[:, columns[1]], atol=2e-5)


def patterns(shared: Path, name: str, column: str) -> tuple[irt.Responses, np.ndarray]:
    """Every pattern of a scores file and one of its columns."""
    published = mirt_reference.person_column(shared / "reference", name, column)
    items = list(mirt_reference.load(shared / "reference", name)[0]["slope_intercept"])
    ids = [item for item in items if item != "GroupPars"]
    return irt.Responses.from_matrix(list(published), items=ids), np.array(list(published.values()))


def all_names() -> list[str]:
    models = {
        "LSAT6": ("2PL", "3PLprior", "Rasch"),
        "LSAT7": ("1PL", "2PL", "3PL", "3PLprior", "Rasch"),
        "Science": ("Rasch", "gpcm", "graded"),
        **dict.fromkeys(("Abortion", "SLF", "WIRS", "deAyala"), ("2PL", "Rasch")),
    }
    return [f"{dataset}__{model}" for dataset, those in models.items() for model in those]


def test_every_reference_file_is_tested(shared: Path) -> None:
    assert sorted(all_names()) == mirt_reference.names(shared / "reference")


@pytest.mark.parametrize("name", all_names())
def test_pattern_scores_are_mirts(shared: Path, name: str) -> None:
    _, _, fit = mirt_reference.load(shared / "reference", name)
    prior = (0.0, float(fit.population.sd[0]))
    for method, column in (("EAP", "EAP"), ("MAP", "MAP"), ("MLE", "ML")):
        if method == "EAP" and prior[1] > NARROW:
            continue
        responses, theta = patterns(shared, name, column)
        scores = irt.score(responses, fit.items, method=method, prior=prior)
        np.testing.assert_allclose(scores.theta, theta, atol=1e-4, err_msg=method)  # infinite ones where mirt's are
        se = patterns(shared, name, f"SE_{column}")[1]
        finite = np.isfinite(theta)
        np.testing.assert_allclose(scores.se[finite], se[finite], rtol=5e-4, err_msg=method)


@pytest.mark.parametrize("name", [name for name in all_names() if "3PL" not in name])
def test_wle_is_mirts_where_jeffreys_prior_is_warms_weight(shared: Path, name: str) -> None:
    _, _, fit = mirt_reference.load(shared / "reference", name)
    responses, theta = patterns(shared, name, "WLE")
    np.testing.assert_allclose(irt.score(responses, fit.items, method="WLE").theta, theta, atol=1e-4)


def test_mirts_wle_of_a_3pl_is_the_mode_under_jeffreys_prior_and_not_warms_estimate(shared: Path) -> None:
    # Warm (1989, eq. 8) weights by J / (2 I); √I, which mirt maximises, is the same without guessing, not with it
    _, _, fit = mirt_reference.load(shared / "reference", "LSAT7__3PL")
    responses, theta = patterns(shared, "LSAT7__3PL", "WLE")
    x = np.zeros((responses.n_persons, 5), dtype=int)
    x[responses.person, responses.item] = responses.answer

    def jeffreys(row: np.ndarray) -> float:
        def loss(t: float) -> float:
            log_prob = fit.items.log_prob([t])[fit.items.offsets[:-1] + row, 0].sum()
            return -log_prob - 0.5 * np.log(fit.items.information([t]).sum())

        return float(minimize_scalar(loss, bounds=(-8.0, 8.0), method="bounded", options={"xatol": 1e-8}).x)

    np.testing.assert_allclose([jeffreys(row) for row in x[:6]], theta[:6], atol=1e-4)
    ours = irt.score(responses, fit.items, method="WLE").theta
    assert 0.05 < np.abs(ours - theta).max() < 0.2


@pytest.mark.parametrize("name", all_names())
def test_information_expected_score_and_reliability_are_mirts(shared: Path, name: str) -> None:
    numbers, _, fit = mirt_reference.load(shared / "reference", name)
    told = irt.information(fit.items, numbers["testinfo"]["theta"])
    lowest = len(fit.items) * mirt_reference.first(name.split("__", maxsplit=1)[0])
    np.testing.assert_allclose(told.test, numbers["testinfo"]["info"], atol=1e-9)
    np.testing.assert_allclose(told.expected_score + lowest, numbers["expected_test"], atol=1e-9)
    sd = float(fit.population.sd[0])
    if "Rasch" not in name:  # mirt integrates a Rasch test's reliability over N(0, 1), whatever variance it estimated
        assert irt.marginal_reliability(fit.items, sd=sd) == pytest.approx(numbers["marginal_rxx"], abs=1e-5)


@pytest.mark.parametrize("name", all_names())
def test_sum_score_tables_and_empirical_reliability_are_mirts(shared: Path, name: str) -> None:
    numbers, responses, fit = mirt_reference.load(shared / "reference", name)
    prior = (0.0, float(fit.population.sd[0]))
    if prior[1] > NARROW:
        pytest.skip("mirt's nodes end at ±6, within this population")
    table = irt.sum_score_eap(fit.items, prior=prior)
    published = numbers["EAPsum"]
    np.testing.assert_allclose(table.theta, mirt_reference.column(published, "F"), atol=1e-4)
    np.testing.assert_allclose(table.se, mirt_reference.column(published, "SE_F"), atol=2e-4)
    expected = mirt_reference.column(published, "expected")
    np.testing.assert_allclose(table.probability * numbers["N"], expected, atol=1e-2)
    scores = irt.score(responses, fit.items, prior=prior)
    assert scores.reliability == pytest.approx(numbers["empirical_rxx"], abs=1e-4)
