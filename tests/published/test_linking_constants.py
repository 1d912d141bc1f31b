"""Linking constants that others published or computed: Kolen & Brennan (2004), the R packages plink and equateIRT."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from thetaline import irt

LINKING = Path(__file__).parent / "data" / "linking"  # `data/README.md` tells where its tables are from

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
# plink 1.5.1, link.con(…) of form X to the scale of form Y without item 27, whose slope changed most:
# D = 1.7, 40 nodes on [−4, 4] with weight 1; six decimals
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


def table(name: str) -> list[dict[str, str]]:
    with (LINKING / name).open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("method", PLINK_WITHOUT_27)
def test_without_item_27_the_constants_are_those_of_plink_without_it(method: str) -> None:
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


KB04 = table("KB04_plink.csv")


def test_plink_ran_each_method_both_ways_under_two_metrics_and_four_weightings() -> None:
    runs = {(row["base"], row["D"], row["weights"], row["symmetric"]) for row in KB04}
    assert (len(runs), len(KB04)) == (32, 128)
    assert {row["method"] for row in KB04} == set(NAMES)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("method", NAMES)
def test_every_constant_of_the_plink_runs(method: str, weights: str) -> None:
    # 1e-6: plink prints six decimals; the curve methods agree to the same, for both are run to their minimum
    for row in (row for row in KB04 if (row["method"], row["weights"]) == (method, weights)):
        forms = form(FORM_X, D=float(row["D"])), form(FORM_Y, D=float(row["D"]))
        new, reference = forms if row["base"] == "form.y" else forms[::-1]
        found = irt.link(
            new=new,
            reference=reference,
            method=NAMES[method],
            screen=False,
            weights=WEIGHTS[weights],
            symmetric=row["symmetric"] == "True",
        )
        np.testing.assert_allclose(constants(found), [float(row["A"]), float(row["B"])], atol=1e-6, err_msg=str(row))


@pytest.fixture(scope="module")
def five_forms() -> tuple[dict[str, irt.Items], dict[str, irt.ItemCovariance]]:
    """Five simulated 2PL forms in a ring; ltm estimated intercepts β1 and slopes β2, so that b = −β1 / β2."""
    forms, covariances, matrices = {}, {}, free_covariances()
    for name in (f"test{k}" for k in range(1, 6)):
        rows = [row for row in table("est2pl_items.csv") if row["form"] == name]
        ids = [row["item"] for row in rows]
        intercept, slope = (np.array([float(row[key]) for row in rows]) for key in ("intercept", "slope"))
        forms[name] = irt.Items(ids=ids, model="2PL", a=slope, b=-intercept / slope)
        zero, one = np.zeros((len(ids), len(ids))), np.eye(len(ids))
        to_published = np.block([[zero, one], [np.diag(-1 / slope), np.diag(intercept / slope**2)]])
        labels = np.array([*ids, *ids], dtype=object), np.array(["a"] * len(ids) + ["b"] * len(ids), dtype=object)
        covariances[name] = irt.ItemCovariance(*labels, to_published @ matrices[name] @ to_published.T)
    return forms, covariances


def free_covariances() -> dict[str, np.ndarray]:
    """Covariances of intercepts and slopes, made whole from their lower triangles."""
    with gzip.open(LINKING / "est2pl_covariances.csv.gz", "rt") as file:
        rows = list(csv.reader(file))
    matrices = {}
    for form in sorted({row[0] for row in rows}):
        lower = [[float(value) for value in row[1:]] for row in rows if row[0] == form]
        matrix = np.zeros((len(lower), len(lower)))
        matrix[np.tril_indices(len(lower))] = np.concatenate(lower)
        matrices[form] = matrix + np.tril(matrix, -1).T
    return matrices


def test_the_five_forms_hold_twenty_items_each_and_share_ten_with_each_neighbour(
    five_forms: tuple[dict[str, irt.Items], dict[str, irt.ItemCovariance]],
) -> None:
    forms, covariances = five_forms
    assert {name: len(items) for name, items in forms.items()} == dict.fromkeys(forms, 20)
    for here, there in (("test1", "test2"), ("test2", "test3"), ("test3", "test4"), ("test4", "test5")):
        assert len(set(forms[here].ids) & set(forms[there].ids)) == 10
    assert all(np.linalg.eigvalsh(found.matrix).min() > 0 for found in covariances.values())


@pytest.mark.parametrize("method", ["mean-mean", "mean-gmean", "mean-sigma", "Haebara", "Stocking-Lord"])
def test_direct_links_and_their_standard_errors_are_those_of_equate_irt(
    method: str, five_forms: tuple[dict[str, irt.Items], dict[str, irt.ItemCovariance]]
) -> None:
    forms, covariances = five_forms
    runs = [row for row in table("est2pl_direct.csv") if row["method"] == method]
    for run in runs:
        found = irt.link(
            new=forms[run["from"]],
            reference=forms[run["to"]],
            method=method.lower(),
            screen=False,
            weights=irt.LinkWeights.gauss_hermite() if "Gauss" in run["quadrature"] else irt.LinkWeights.uniform(),
            new_covariance=covariances[run["from"]],
            reference_covariance=covariances[run["to"]],
        )
        A, B, se_A, se_B = (float(run[key]) for key in ("A", "B", "SE_A", "SE_B"))
        np.testing.assert_allclose(constants(found), [A, B], atol=1e-7)
        if method == "mean-sigma":
            # equateIRT divides by n − 1 in one place and by n in the other: its ∂A/∂b are 9/10 of what moving a b by
            # hand gives (see tests/laws, the delta method of linking), and so is its standard error of A
            assert se_A == pytest.approx(0.9 * found.se.A, rel=1e-7)
        else:
            np.testing.assert_allclose([found.se.A, found.se.B], [se_A, se_B], rtol=1e-6)
    assert len(runs) == (10 if method in {"Haebara", "Stocking-Lord"} else 5)


def test_chain_links_and_their_standard_errors_are_those_of_equate_irt(
    five_forms: tuple[dict[str, irt.Items], dict[str, irt.ItemCovariance]],
) -> None:
    forms, covariances = five_forms
    chains = table("est2pl_chain.csv")
    for row in chains:
        found = irt.link_chain(
            forms,
            row["path"].split("."),
            covariances=covariances,
            screen=False,
            weights=irt.LinkWeights.gauss_hermite(),
        )
        # equateIRT prints five significant digits
        np.testing.assert_allclose(constants(found), [float(row["A"]), float(row["B"])], rtol=5e-5, atol=5e-6)
        np.testing.assert_allclose([found.se.A, found.se.B], [float(row["SE_A"]), float(row["SE_B"])], rtol=2e-4)
    assert len(chains) == 10
