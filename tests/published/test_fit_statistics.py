"""Fit statistics against R mirt 1.47: a table here, every file where the reference folder exists.

Parameters are mirt's own, so that the statistics agree to the digits of the file and not to those of an optimiser.
"""

from pathlib import Path

import numpy as np
import pytest
from mirt_reference import Published, column, load, names, person_column

from thetaline import irt
from thetaline.irt.grid import Grid, normal_log_weights

# LSAT section 7, Bock & Lieberman (1970): the 32 patterns of five items in binary order and how many gave each.
PATTERNS = np.array([[(p >> i) & 1 for i in (4, 3, 2, 1, 0)] for p in range(32)])
COUNTS = [
    12,
    19,
    1,
    7,
    3,
    19,
    3,
    17,
    10,
    5,
    3,
    7,
    7,
    23,
    8,
    28,
    7,
    39,
    11,
    34,
    14,
    51,
    15,
    90,
    6,
    25,
    7,
    35,
    18,
    136,
    32,
    308,
]


def lsat7() -> tuple[irt.Responses, Published]:
    """The data, and slopes and intercepts of the 2PL from mirt 1.47 on 61 nodes over [−6, 6]."""
    slopes = np.array([0.987545906863725, 1.08083714352519, 1.70747762707141, 0.764989880619114, 0.735672723983611])
    intercepts = np.array([1.85585564772584, 0.807969590548158, 1.80520618242641, 0.48599980583052, 1.85445759173302])
    nodes = Grid(61, -6.0, 6.0).nodes
    weights = np.exp(normal_log_weights(nodes, 0.0, 1.0))
    population = irt.Population(("all",), np.zeros(1), np.ones(1), nodes[None], weights[None])
    patterns = np.flatnonzero(COUNTS)
    responses = irt.Responses.from_matrix(PATTERNS[patterns], counts=np.array(COUNTS)[patterns])
    return responses, Published(irt.Items(ids=range(5), model="2PL", a=slopes, b=-intercepts / slopes), population)


def test_the_table_is_lsat_7() -> None:
    assert sum(COUNTS) == 1000
    assert (np.array(COUNTS) @ PATTERNS).tolist() == [828, 658, 772, 606, 843]


def test_item_fit_of_lsat_7_is_that_of_mirt() -> None:
    responses, fit = lsat7()
    found = irt.item_fit(fit, responses)
    np.testing.assert_allclose(found.s_x2, [4.7505, 14.4535, 1.2727, 5.2365, 0.9409], atol=1e-4)
    assert found.s_x2_df.tolist() == [2, 2, 2, 2, 2]
    np.testing.assert_allclose(found.s_x2_p, [0.09299, 0.00073, 0.52923, 0.07293, 0.62471], atol=1e-5)
    np.testing.assert_allclose(found.infit, [0.95818, 0.81599, 0.75010, 0.88143, 0.98922], atol=1e-5)
    np.testing.assert_allclose(found.outfit, [0.77581, 0.73678, 0.48437, 0.85521, 0.86623], atol=1e-5)
    np.testing.assert_allclose(found.infit_z, [-0.7023, -6.3612, -5.2171, -5.8073, -0.1541], atol=1e-4)
    np.testing.assert_allclose(found.outfit_z, [-3.1416, -7.7652, -7.0528, -6.5630, -1.9025], atol=1e-4)


def test_model_fit_of_lsat_7_is_that_of_mirt() -> None:
    responses, fit = lsat7()
    found = irt.model_fit(fit, responses)
    assert (found.statistic, found.df, found.n_persons) == ("M2", 5, 1000)
    np.testing.assert_allclose([found.m2, found.p], [11.93841, 0.0356415], atol=1e-5)
    np.testing.assert_allclose(found.rmsea, [0.03727, 0.00895, 0.06497], atol=5e-5)
    np.testing.assert_allclose([found.srmsr, found.cfi, found.tli], [0.0319629, 0.9684632, 0.9369266], atol=1e-6)


def test_q3_of_lsat_7_is_that_of_mirt() -> None:
    found = irt.local_dependence(*reversed(lsat7()))
    np.testing.assert_allclose(found.q3[0], [1.0, -0.134484, -0.213735, -0.012105, 0.008696], atol=1e-6)


def test_item_fit_agrees_with_every_mirt_file(shared: Path) -> None:
    for name in names(shared / "reference"):
        numbers, responses, fit = load(shared / "reference", name)
        found = irt.item_fit(fit, responses)
        assert found.s_x2_df.tolist() == [row["df.S_X2"] for row in numbers["SX2"]], name
        np.testing.assert_allclose(found.s_x2, column(numbers["SX2"], "S_X2"), atol=1e-5, err_msg=name)
        np.testing.assert_allclose(found.s_x2_p, column(numbers["SX2"], "p.S_X2"), atol=1e-5, err_msg=name)
        if name in TRUNCATED:
            continue
        for ours, theirs in ((found.infit, "infit"), (found.outfit, "outfit")):
            np.testing.assert_allclose(ours, column(numbers["infit"], theirs), atol=2e-4, err_msg=name)
        for ours, theirs in ((found.infit_z, "z.infit"), (found.outfit_z, "z.outfit")):
            np.testing.assert_allclose(ours, column(numbers["infit"], theirs), atol=1e-2, err_msg=name)


# mirt integrates over ±6 whatever the variance of θ: with 7.4 its EAP, and the M2 that moves the variance, are cut off.
TRUNCATED = ("Abortion__Rasch",)


def test_model_fit_agrees_with_every_mirt_file_that_has_one(shared: Path) -> None:
    seen = 0
    for name in names(shared / "reference"):
        numbers, responses, fit = load(shared / "reference", name)
        if not isinstance(numbers["M2"], list) or name in TRUNCATED:
            continue
        (row,), found = numbers["M2"], irt.model_fit(fit, responses)
        assert found.df == row["df"], name
        # mirt differentiates in the variance numerically: the Rasch files move by up to 1e-4 of their value.
        np.testing.assert_allclose(found.m2, row["M2"], rtol=1e-4 if "Rasch" in name else 1e-9, err_msg=name)
        ours = [found.rmsea.value, found.srmsr, found.cfi, found.tli]
        np.testing.assert_allclose(ours, [row[k] for k in ("RMSEA", "SRMSR", "CFI", "TLI")], atol=1e-4, err_msg=name)
        # mirt divides by N − 1 for the value and by N for its limits.
        np.testing.assert_allclose(found.rmsea[1:], [row["RMSEA_5"], row["RMSEA_95"]], rtol=2e-3, err_msg=name)
        seen += 1
    assert seen == 12


@pytest.mark.parametrize("name", ["Science__graded", "Science__gpcm", "Science__Rasch"])
def test_where_m2_star_has_no_degrees_of_freedom_all_margins_are_taken(shared: Path, name: str) -> None:
    _, responses, fit = load(shared / "reference", name)
    assert irt.model_fit(fit, responses, statistic="M2*").df <= 0
    found = irt.model_fit(fit, responses)
    parameters = {"Science__Rasch": 13}.get(name, 16)
    assert (found.statistic, found.df) == ("M2", 4 * 3 + 6 * 9 - parameters)


def test_person_fit_and_q3_agree_with_every_mirt_file(shared: Path) -> None:
    for name in names(shared / "reference"):
        if name in TRUNCATED:
            continue
        numbers, responses, fit = load(shared / "reference", name)
        zh = person_column(shared / "reference", name, "personfit_Zh")
        patterns = responses.answer.reshape(responses.n_persons, responses.n_items).tolist()
        expected = [zh[tuple(pattern)] for pattern in patterns]
        np.testing.assert_allclose(irt.person_fit(fit, responses).lz, expected, atol=1e-3, err_msg=name)
        np.testing.assert_allclose(irt.local_dependence(fit, responses).q3, numbers["Q3"], atol=1e-3, err_msg=name)
