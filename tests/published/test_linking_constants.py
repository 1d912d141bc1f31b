"""Linking constants that others published or computed: Kolen & Brennan (2004), the R packages plink and equateIRT."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from thetaline import irt

# Kolen & Brennan (2004), Table 6.5: a, b, c of the 12 common items (3, 6, …, 36) of forms X and Y
FORM_X = np.array([
    [0.4551, -0.7101, 0.2087], [0.5839, -0.8567, 0.2038], [0.7544, 0.0212, 0.1600], [0.6633, 0.0506, 0.1240],
    [1.0690, 0.9610, 0.2986], [0.9672, 0.1950, 0.0535], [0.3479, 2.2768, 0.1489], [1.4579, 1.0241, 0.2453],
    [1.8811, 1.4062, 0.1992], [0.7020, 2.2401, 0.0853], [1.4080, 1.5556, 0.0789], [1.2993, 2.1589, 0.1075],
])  # fmt: skip
FORM_Y = np.array([
    [0.4416, -1.3349, 0.1559], [0.5730, -1.3210, 0.1913], [0.5987, -0.7098, 0.1177], [0.6041, -0.3539, 0.0818],
    [0.9902, 0.5320, 0.3024], [0.8081, -0.1156, 0.0648], [0.4140, 2.5538, 0.2410], [1.3554, 0.5811, 0.2243],
    [1.0417, 0.9392, 0.1651], [0.6336, 1.8960, 0.0794], [1.1347, 1.0790, 0.0630], [0.9255, 2.1337, 0.1259],
])  # fmt: skip
IDS = list(range(3, 37, 3))
# plink 1.5.1, link.con(…) of form X to the scale of form Y, D = 1, 40 nodes on [−4, 4] with weight 1; six decimals
PLINK = {
    "mean-mean": (1.217266, -0.557155),
    "mean-sigma": (1.168892, -0.515543),
    "haebara": (1.112133, -0.465667),
    "stocking-lord": (1.119231, -0.485545),
}
PLINK_SYMMETRIC = {"haebara": (1.106620, -0.457326), "stocking-lord": (1.114693, -0.479120)}
# the same without item 27, whose slope changed most, D = 1.7
PLINK_WITHOUT_27 = {
    "mean-mean": (1.144959, -0.478967),
    "mean-sigma": (1.176074, -0.504188),
    "haebara": (1.088361, -0.441590),
    "stocking-lord": (1.097363, -0.464035),
}
NAMES = {"Mean/Mean": "mean-mean", "Mean/Sigma": "mean-sigma", "Haebara": "haebara", "Stocking-Lord": "stocking-lord"}
WEIGHTS = {
    "plink_default_40pts_m4_4_weight1": irt.LinkWeights.uniform(),
    "normal41_m4_4": irt.LinkWeights.normal(41, -4.0, 4.0),
    "normal61_m6_6": irt.LinkWeights.normal(),
    "gh30": irt.LinkWeights.gauss_hermite(),
}


def form(table: np.ndarray, *, D: float = 1.0, leave_out: int = 0) -> irt.Items:
    keep = [k for k, item in enumerate(IDS) if item != leave_out]
    a, b, c = table[keep].T
    return irt.Items(ids=[IDS[k] for k in keep], model="3PL", a=D * a, b=b, c=c)


def constants(found: irt.Link | irt.ChainLink) -> list[float]:
    return [found.A, found.B]


def test_the_tables_are_those_of_the_reference_folder(shared: Path) -> None:
    for name, table in (("formx", FORM_X), ("formy", FORM_Y)):
        whole = np.genfromtxt(shared / f"reference/linking/KB04_{name}.csv", delimiter=",", skip_header=1)
        np.testing.assert_array_equal(whole[np.array(IDS) - 1], table)


@pytest.mark.parametrize("method", PLINK)
def test_kolen_and_brennans_anchors_give_the_constants_of_plink(method: str) -> None:
    # 1e-6: plink prints six decimals; the curve methods agree to the same, for both are run to their minimum
    options = {"method": method, "screen": False, "weights": irt.LinkWeights.uniform()}
    found = irt.link(new=form(FORM_X), reference=form(FORM_Y), **options)
    np.testing.assert_allclose(constants(found), PLINK[method], atol=1e-6)
    if method in PLINK_SYMMETRIC:
        found = irt.link(new=form(FORM_X), reference=form(FORM_Y), symmetric=True, **options)
        np.testing.assert_allclose(constants(found), PLINK_SYMMETRIC[method], atol=1e-6)


@pytest.mark.parametrize("method", PLINK_WITHOUT_27)
def test_without_item_27_they_are_those_of_plink_without_it(method: str) -> None:
    found = irt.link(
        new=form(FORM_X, D=1.7, leave_out=27),
        reference=form(FORM_Y, D=1.7),
        method=method,
        screen=False,
        weights=irt.LinkWeights.uniform(),
    )
    assert found.n_anchors_used == 11
    np.testing.assert_allclose(constants(found), PLINK_WITHOUT_27[method], atol=1e-6)


def test_screening_names_item_27_whose_slope_changed() -> None:
    assert "log a" in irt.link(new=form(FORM_X), reference=form(FORM_Y)).dropped[27]


def test_every_constant_of_the_plink_runs(shared: Path) -> None:
    runs = json.loads((shared / "reference/linking/KB04_plink.json").read_text())["results"]
    for run in runs:
        forms = form(FORM_X, D=run["D"]), form(FORM_Y, D=run["D"])
        new, reference = forms if run["base"] == "form.y" else forms[::-1]
        for name, published in run["constants"].items():
            found = irt.link(
                new=new,
                reference=reference,
                method=NAMES[name],
                screen=False,
                weights=WEIGHTS[run["weights"]],
                symmetric=run["symmetric"],
            )
            np.testing.assert_allclose(constants(found), [published["A"], published["B"]], atol=1e-6, err_msg=str(run))
    assert len(runs) == 32


@pytest.fixture(scope="module")
def five_forms(shared: Path) -> tuple[dict[str, irt.Items], dict[str, irt.ItemCovariance]]:
    """Five simulated 2PL forms in a ring; ltm estimated intercepts β1 and slopes β2, so that b = −β1 / β2."""
    folder = shared / "reference/linking"
    forms, covariances = {}, {}
    for name in (f"test{k}" for k in range(1, 6)):
        with (folder / f"est2pl_{name}_coef.csv").open() as file:
            rows = list(csv.reader(file))[1:]
        ids, (intercept, slope) = [row[0] for row in rows], np.array([row[1:] for row in rows], dtype=float).T
        forms[name] = irt.Items(ids=ids, model="2PL", a=slope, b=-intercept / slope)
        matrix = np.genfromtxt(folder / f"est2pl_{name}_var.csv", delimiter=",", skip_header=1)[:, -2 * len(ids) :]
        zero, one = np.zeros((len(ids), len(ids))), np.eye(len(ids))
        to_published = np.block([[zero, one], [np.diag(-1 / slope), np.diag(intercept / slope**2)]])
        labels = np.array([*ids, *ids], dtype=object), np.array(["a"] * len(ids) + ["b"] * len(ids), dtype=object)
        covariances[name] = irt.ItemCovariance(*labels, to_published @ matrix @ to_published.T)
    return forms, covariances


def test_direct_links_and_their_standard_errors_are_those_of_equate_irt(
    shared: Path, five_forms: tuple[dict[str, irt.Items], dict[str, irt.ItemCovariance]]
) -> None:
    forms, covariances = five_forms
    runs = json.loads((shared / "reference/linking/est2pl_equateIRT.json").read_text())["results"]
    for run in runs:
        gauss = "Gauss" in (run["quadrature"] or "")
        found = irt.link(
            new=forms[run["from"]],
            reference=forms[run["to"]],
            method=run["method"].lower(),
            screen=False,
            weights=irt.LinkWeights.gauss_hermite() if gauss else irt.LinkWeights.uniform(),
            new_covariance=covariances[run["from"]],
            reference_covariance=covariances[run["to"]],
        )
        np.testing.assert_allclose(constants(found), [run["A"], run["B"]], atol=1e-7)
        if run["method"] == "mean-sigma":
            # equateIRT divides by n − 1 in one place and by n in the other: its ∂A/∂b are 9/10 of what moving a b by
            # hand gives (see tests/laws/test_linking.py, the delta method), and so is its standard error of A
            assert run["SE_A"] == pytest.approx(0.9 * found.se.A, rel=1e-7)
        else:
            np.testing.assert_allclose([found.se.A, found.se.B], [run["SE_A"], run["SE_B"]], rtol=1e-6)
    assert len(runs) == 35


def test_chain_links_and_their_standard_errors_are_those_of_equate_irt(
    shared: Path, five_forms: tuple[dict[str, irt.Items], dict[str, irt.ItemCovariance]]
) -> None:
    forms, covariances = five_forms
    text = (shared / "reference/linking/est2pl_chain_bisector.txt").read_text()
    blocks = text.split("Path: ")[1:]
    for block in blocks:
        path = block.split()[0].split(".")
        (A, se_A), (B, se_B) = ([float(v) for v in line.split()[1:]] for line in block.splitlines()[4:6])
        found = irt.link_chain(
            forms, path, covariances=covariances, screen=False, weights=irt.LinkWeights.gauss_hermite()
        )
        # the file prints five significant digits
        np.testing.assert_allclose(constants(found), [A, B], rtol=5e-5, atol=5e-6)
        np.testing.assert_allclose([found.se.A, found.se.B], [se_A, se_B], rtol=2e-4)
    assert len(blocks) == 10
