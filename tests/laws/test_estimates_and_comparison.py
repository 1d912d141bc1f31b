"""The table of coefficients with its intervals, and the comparison of calibrations of the same answers."""

from dataclasses import replace

import numpy as np
import pytest
from banks import bank

from thetaline import irt
from thetaline.errors import InputError

PRIORS = irt.Priors(a=irt.LogNormal(0.0, 0.5), b=irt.Normal(0.0, 2.0), c=irt.Beta(5, 17))


def simulated(model: str = "2PL", n_items: int = 10, n_persons: int = 1500, seed: int = 1) -> irt.Responses:
    theta = np.random.default_rng(seed).normal(size=n_persons)
    return irt.simulate(bank(model, n=n_items), theta, rng=seed)


def row(table: irt.Coefficients, name: object, parameter: str) -> tuple[float, float, float, float]:
    at = np.flatnonzero((table.ids == name) & (table.parameter == parameter))[0]
    return tuple(float(column[at]) for column in (table.estimate, table.se, table.lower, table.upper))


def test_coefficients_are_the_estimates_with_their_errors_and_normal_intervals() -> None:
    fit = irt.calibrate(simulated())
    errors, table = fit.standard_errors(), fit.coefficients(level=0.9)
    name = fit.items.ids[3]
    estimate, se, lower, upper = row(table, name, "b")
    assert estimate == fit.items.b[3]
    assert se == errors.b[3]
    assert (upper - estimate) / se == pytest.approx(1.6449, abs=1e-4)
    assert (estimate - lower) / se == pytest.approx(1.6449, abs=1e-4)
    assert len(table.ids) == 2 * 10 + 2


def test_asymptotes_stay_within_0_and_1_and_sds_above_0() -> None:
    fit = irt.calibrate(simulated("3PL"), "3PL", priors=PRIORS)
    table = fit.coefficients(level=0.999)
    c = table.parameter == "c"
    assert (table.lower[c] > 0).all()
    assert (table.upper[c] < 1).all()
    logit = np.log(table.estimate[c] / (1 - table.estimate[c]))
    logit_upper = np.log(table.upper[c] / (1 - table.upper[c]))
    z = (logit_upper - logit) * table.estimate[c] * (1 - table.estimate[c]) / table.se[c]
    np.testing.assert_allclose(z, 3.2905, atol=1e-4)


def test_a_group_has_its_mean_and_sd_in_the_table_and_what_is_held_has_no_error() -> None:
    responses = simulated(n_persons=2000)
    groups = np.where(np.arange(2000) % 2, "second", "first")
    table = irt.calibrate(responses, groups=groups).coefficients()
    held, free = row(table, "first", "sd"), row(table, "second", "sd")
    assert held[0] == 1.0
    assert np.isnan(held[1:]).all()
    assert np.log(free[3] / free[0]) == pytest.approx(np.log(free[0] / free[2]))
    assert np.log(free[3] / free[0]) == pytest.approx(1.95996 * free[1] / free[0], abs=1e-4)


def test_thresholds_have_a_row_each() -> None:
    table = irt.calibrate(simulated("GRM", n_items=4), "GRM").coefficients()
    assert [name for name, owner in zip(table.parameter, table.ids, strict=True) if owner == table.ids[0]] == [
        "a",
        "b1",
        "b2",
        "b3",
    ][: np.count_nonzero(table.ids == table.ids[0])]


def test_intervals_of_95_percent_cover_the_truth_in_about_95_of_100() -> None:
    truth, covered = bank("2PL", n=10), []
    for seed in range(40):
        table = irt.calibrate(simulated(n_persons=600, seed=100 + seed)).coefficients()
        for parameter, values in (("a", truth.a), ("b", truth.b)):
            rows = table.parameter == parameter
            covered.append((table.lower[rows] <= values) & (values <= table.upper[rows]))
    assert 0.92 < np.mean(covered) < 0.98  # 800 intervals, se 0.008


def test_the_ratio_of_nested_models_is_the_difference_of_their_likelihoods() -> None:
    responses = simulated()
    small, large = irt.calibrate(responses, "1PL"), irt.calibrate(responses, "2PL")
    found = irt.compare(large, small)
    assert found.model.tolist() == ["1PL", "2PL"]
    assert found.df.tolist() == [0, 9]
    assert found.chi2[1] == pytest.approx(2 * (large.log_likelihood - small.log_likelihood))
    assert np.isnan([found.chi2[0], found.p[0]]).all()
    assert found.aic.tolist() == [small.aic, large.aic]
    assert found.bic.tolist() == [small.bic, large.bic]
    assert found.p[1] < 1e-6  # slopes differ
    assert found.to_frame()["p"][1] == found.p[1]


def test_the_ratio_rejects_a_true_smaller_model_about_as_often_as_it_says() -> None:
    equal = irt.Items(ids=list(range(8)), model="2PL", a=np.full(8, 1.2), b=np.linspace(-1.5, 1.5, 8))
    p = []
    for seed in range(120):
        responses = irt.simulate(equal, np.random.default_rng(seed).normal(size=500), rng=seed)
        p.append(irt.compare(irt.calibrate(responses, "1PL"), irt.calibrate(responses, "2PL")).p[1])
    assert 0.005 < np.mean(np.array(p) < 0.05) < 0.11  # se 0.02
    assert 0.35 < np.mean(np.array(p) < 0.5) < 0.65


def test_there_is_no_ratio_under_priors_between_equals_and_upside_down() -> None:
    responses = simulated()
    small, large = irt.calibrate(responses, "1PL"), irt.calibrate(responses, "2PL", priors=PRIORS)
    for found, reason in (
        (irt.compare(small, large), "a fit under priors maximises no likelihood"),
        (irt.compare(small, small), "it has as many parameters as the fit before it"),
    ):
        assert np.isnan(found.p).all()
        assert reason in found.notes[0]
        assert np.isfinite(found.bic).all()


def test_a_larger_model_that_fits_worse_is_not_nested_unless_by_the_rounding_of_the_fits() -> None:
    small, large = irt.calibrate(simulated(), "1PL"), irt.calibrate(simulated())
    worse, equal = (replace(large, log_likelihood=small.log_likelihood - below) for below in (0.01, 1e-4))
    assert "not nested" in irt.compare(small, worse).notes[0]
    assert np.isnan(irt.compare(small, worse).p[1])
    assert (irt.compare(small, equal).notes, irt.compare(small, equal).p[1]) == ((), 1.0)


def test_fits_of_other_answers_are_not_compared() -> None:
    one, other = irt.calibrate(simulated(seed=1), "1PL"), irt.calibrate(simulated(seed=2))
    with pytest.raises(InputError, match="are of different answers: those to 10 items differ"):
        irt.compare(one, other)
    with pytest.raises(InputError, match="1 fits cannot be compared"):
        irt.compare(one)


def test_category_counts_are_those_of_the_answers_dense_sparse_and_weighted() -> None:
    full = simulated(n_persons=3000)
    thin = irt.simulate(bank("2PL", n=60), np.random.default_rng(2).normal(size=3000), rng=3, n_answers=8)
    for responses in (full, thin):
        counts = irt.calibrate(responses, "1PL").category_counts()
        for item, name in enumerate(responses.item_ids.tolist()):
            answers = responses.answer[responses.item == item]
            assert counts[name] == (np.count_nonzero(answers == 0), np.count_nonzero(answers == 1))
