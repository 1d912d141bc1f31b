"""Whether the anchors bear a link out: how far apart their linked curves lie, against what their errors explain.

The distance is that of expected scores per point, averaged over the persons: an item far from everybody may have a
wild b and a tame curve.  Decision 0201 has the simulation behind the limits.
"""

from typing import NamedTuple

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.covariance import ItemCovariance
from thetaline.irt.items import Items
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.characteristic_curves import CurveTables
from thetaline.irt.linking.method import Constants

NODES = np.linspace(-4.0, 4.0, 41)
WEIGHTS = np.exp(-0.5 * NODES**2) / np.exp(-0.5 * NODES**2).sum()
NEGLIGIBLE = 0.05  # points: below it nobody asks why (Dorans & Holland, 1993)
LARGE, LARGE_OF_FEW = 0.10, 0.08  # points: without errors n anchors may lie 0.10 + 0.08 / √n apart
SURPRISING = 8.5  # squared distance over expected squared distance: n anchors may reach 1 + 8.5 / √n

Covariances = dict[str, ItemCovariance | None]


class Distance(NamedTuple):
    """Root mean square over the anchors and persons, and the part of its square that errors explain; NaN: unknown."""

    observed: float
    explained: float  # squared

    @property
    def ratio(self) -> float:
        """How many times the squared distance is what the errors explain."""
        return self.observed**2 / self.explained if self.explained > 0.0 else float("nan")


def disagreement(anchors: Anchors, at: Constants, covariances: Covariances) -> str:
    """Say why the anchors, linked by `at`, do not agree; empty where they do.

    Both scales' errors known: they lie apart by more than these explain, and not by a trifle.  One or none: by more
    than the errors of 300 persons and of thin data explain.  A scale without errors is taken to be as exact as the
    other.
    """
    known = sum(covariance is not None for covariance in covariances.values())
    apart = max(
        (_distance(anchors, at, covariances, population) for population in ((0.0, 1.0), (at.B, at.A))), key=_badness
    )
    backwards = correlation(anchors) < 0.0
    large = (LARGE + LARGE_OF_FEW / np.sqrt(anchors.n)) * (0.5 if backwards else 1.0)
    surprising = not apart.ratio <= 1.0 + SURPRISING / np.sqrt(anchors.n)
    if not (surprising and apart.observed > (NEGLIGIBLE if known == 2 else large)):
        return ""
    how = f"{apart.observed:.2f} points of an item's score on average"
    if np.isfinite(apart.ratio):
        how += f", {np.sqrt(apart.ratio):.1f} times what their errors explain"
    what = "run the other way" if backwards else "do not agree"
    return f"the {anchors.n} anchors {what}: once linked, their curves lie apart by {how}"


def correlation(anchors: Anchors) -> float:
    """Of the anchors' difficulties on the two scales; NaN where one of them does not spread."""
    new, reference = anchors.locations()
    if anchors.n < 3 or np.ptp(new) == 0.0 or np.ptp(reference) == 0.0:
        return float("nan")
    return float(np.corrcoef(new, reference)[0, 1])


def _badness(distance: Distance) -> float:
    return distance.observed if np.isnan(distance.ratio) else distance.ratio


def _distance(anchors: Anchors, at: Constants, covariances: Covariances, population: tuple[float, float]) -> Distance:
    """Among persons of such a mean and sd on the reference's scale."""
    theta = population[0] + population[1] * NODES
    scales = {"new": (anchors.new, (theta - at.B) / at.A), "reference": (anchors.reference, theta)}
    curves = [items.expected_score(nodes) for items, nodes in scales.values()]
    points = anchors.new.n_categories - 1.0
    observed = np.square((curves[1] - curves[0]) / points[:, None]) @ WEIGHTS
    explained = [
        _mean_variance(*scales[side], covariance) for side, covariance in covariances.items() if covariance is not None
    ]
    total = 2.0 * float(np.mean(explained)) if explained else float("nan")
    return Distance(float(np.sqrt(observed.mean())), total)


def _mean_variance(items: Items, theta: Array, covariance: ItemCovariance) -> float:
    """Sampling variance of the expected score per point, averaged over persons and the items with errors; NaN: none."""
    place = {name: row for row, name in enumerate(items.ids.tolist())}
    owner = np.array([place.get(name, -1) for name in covariance.ids.tolist()], dtype=np.intp)
    slopes = _slopes(items, theta)
    points = items.n_categories - 1.0
    variances = []
    for item in np.unique(owner[owner >= 0]):
        mine = np.flatnonzero(owner == item)
        rows = np.stack([slopes[str(name)][item] for name in covariance.names[mine]]) / points[item]
        variances.append(float(np.sum(covariance.matrix[np.ix_(mine, mine)] * ((rows * WEIGHTS) @ rows.T))))
    usable = [variance for variance in variances if variance > 0.0]
    return float(np.mean(usable)) if usable else float("nan")


def _slopes(items: Items, theta: Array) -> dict[str, Array]:
    """∂ expected score / ∂ parameter of every item's own a, b (or b1, b2, …), c and d, (I, Q) each."""
    steps = [f"b{k + 1}" for k in range(items.thresholds.shape[1])]
    out = {name: np.zeros((len(items), theta.size)) for name in ("a", *steps, "c", "d")}
    for batch in CurveTables.of(items).inside().batches:
        score, p = np.arange(batch.n_categories, dtype=np.float64), np.exp(batch.log_prob(theta))
        by_free = np.einsum("k,gkq,gpkq->gpq", score, p, batch.family.d_log_prob(batch.free, theta))
        jacobian = batch.family.published_jacobian(batch.free)
        asymptotes = "c" * batch.family.has_c + "d" * batch.family.has_d
        by_published = np.linalg.solve(jacobian.swapaxes(1, 2), by_free)
        for column, name in enumerate(["a", *steps[: batch.n_categories - 1], *asymptotes]):
            out[name][batch.index] = by_published[:, column]
    return {**out, "b": out["b1"]}
