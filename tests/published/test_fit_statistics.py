"""Fit statistics against R mirt 1.47 at mirt's own parameters, so that they agree to its digits."""

import numpy as np
import pytest
from mirt_reference import column, load, names, scored_patterns

from thetaline import irt

# mirt integrates over ±6 whatever the variance of θ: with 7.4 its EAP, and the M2 that moves the variance, are cut off.
TRUNCATED = ("Abortion__Rasch",)
COMPLETE = [name for name in names() if name not in TRUNCATED]


@pytest.mark.parametrize("name", names())
def test_s_x2_is_mirts(name: str) -> None:
    numbers, responses, fit = load(name)
    found = irt.item_fit(fit, responses)
    assert found.s_x2_df.tolist() == numbers["S_X2"]["df"]
    np.testing.assert_allclose(found.s_x2, column(numbers["S_X2"]["S_X2"]), atol=1e-5)
    np.testing.assert_allclose(found.s_x2_p, column(numbers["S_X2"]["p"]), atol=1e-5)


@pytest.mark.parametrize("name", COMPLETE)
def test_infit_and_outfit_are_mirts(name: str) -> None:
    numbers, responses, fit = load(name)
    found = irt.item_fit(fit, responses, residuals="EAP")
    for ours, theirs in ((found.infit, "infit"), (found.outfit, "outfit")):
        np.testing.assert_allclose(ours, numbers["infit"][theirs], atol=2e-4)
    for ours, theirs in ((found.infit_z, "z.infit"), (found.outfit_z, "z.outfit")):
        np.testing.assert_allclose(ours, numbers["infit"][theirs], atol=1e-2)


@pytest.mark.parametrize("name", [name for name in COMPLETE if "M2" in load(name)[0]])
def test_model_fit_is_mirts(name: str) -> None:
    numbers, responses, fit = load(name)
    row, found = numbers["M2"], irt.model_fit(fit, responses)
    assert (found.statistic, found.df, found.n_persons) == ("M2", row["df"], numbers["N"])
    # mirt differentiates in the variance numerically: the Rasch files move by up to 1e-4 of their value.
    np.testing.assert_allclose(found.m2, row["M2"], rtol=1e-4 if "Rasch" in name else 1e-9)
    assert found.p == pytest.approx(row["p"], abs=1e-6)
    ours = [found.rmsea.value, found.srmsr, found.cfi, found.tli]
    np.testing.assert_allclose(ours, [row[k] for k in ("RMSEA", "SRMSR", "CFI", "TLI")], atol=1e-4)
    # mirt divides by N − 1 for the value and by N for its limits.
    np.testing.assert_allclose(found.rmsea[1:], [row["RMSEA_5"], row["RMSEA_95"]], rtol=2e-3)


@pytest.mark.parametrize("name", ["Science__graded", "Science__gpcm", "Science__Rasch"])
def test_where_m2_star_has_no_degrees_of_freedom_all_margins_are_taken(name: str) -> None:
    numbers, responses, fit = load(name)
    assert irt.model_fit(fit, responses, statistic="M2*").df <= 0
    found = irt.model_fit(fit, responses)
    assert (found.statistic, found.df) == ("M2", 4 * 3 + 6 * 9 - numbers["nest"])


@pytest.mark.parametrize("name", COMPLETE)
def test_person_fit_is_mirts(name: str) -> None:
    numbers, _, fit = load(name)
    np.testing.assert_allclose(
        irt.person_fit(fit, scored_patterns(name)).lz, numbers["scores"]["personfit_Zh"], atol=1e-3
    )


@pytest.mark.parametrize("name", COMPLETE)
def test_q3_is_mirts(name: str) -> None:
    numbers, responses, fit = load(name)
    found = irt.local_dependence(fit, responses).q3
    np.testing.assert_allclose(found, [numbers["Q3"][item] for item in numbers["items"]], atol=1e-4)
