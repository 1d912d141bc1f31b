"""How many clusters there are, one ("no structure") among the answers.

A number k > 1 must clear two bars. The gap statistic (Tibshirani, Walther & Hastie 2001) compares the dispersion
within k clusters with that of draws from one normal distribution, of the same covariance and with the same values
missing, as Liu, Hayes, Nobel & Marron (2008) draw it; tested is the largest standardised gap over all k. Prediction
strength (Tibshirani & Walther 2005): clusters found in one half of the learners must be found again in the other.
"""

import warnings
from typing import Any, NamedTuple

import numpy as np

from thetaline.learning._types import Array, Ints, Mask
from thetaline.learning.segments.features import StandardisedFeatures

MAX_CLUSTERS = 8
N_REFERENCES = 39  # draws of one normal distribution: 1 of 40 is the smallest p
ALPHA = 0.05
MIN_PREDICTION_STRENGTH = 0.8
N_SPLITS = 5
N_STARTS = 2  # of a dispersion; what may not hang on a start has more
MANY_STARTS = 8
CHOICE_LEARNERS = 2_000  # a larger cohort is drawn from: more would not change the number


class ClusterNumber(NamedTuple):
    """What speaks for k clusters; `p` of the gap over all k, `prediction_strength` NaN where that already fails."""

    k: int
    gap: float
    gap_se: float
    p: float
    prediction_strength: float

    @property
    def is_structure(self) -> bool:
        """Whether k > 1 clears both bars."""
        return self.p <= ALPHA and self.prediction_strength >= MIN_PREDICTION_STRENGTH


def k_means(z: Array, k: int, rng: np.random.Generator, *, starts: int = N_STARTS) -> Any:
    """The best of some starts, a fitted sklearn.cluster.KMeans."""
    from sklearn.cluster import KMeans  # noqa: PLC0415 - an extra, loaded when it is used

    with warnings.catch_warnings():
        # Of fewer distinct learners than clusters, a thousand times a fit: some clusters stay empty, which is no fault.
        warnings.filterwarnings("ignore", "Number of distinct clusters")
        return KMeans(k, n_init=starts, random_state=int(rng.integers(2**31))).fit(z)


def numbers_of_clusters(features: StandardisedFeatures, rng: np.random.Generator) -> list[ClusterNumber]:
    """What speaks for each k from 1 on; k = 1 has no gap and no p."""
    z, known = _drawn(features, rng)
    top = min(MAX_CLUSTERS, z.shape[0] // 4)
    log_w = _log_dispersion(z, top, rng)
    draws = (_one_normal(z, known, rng) for _ in range(N_REFERENCES))
    reference = np.stack([_log_dispersion(draw, top, rng) for draw in draws])
    gap = reference.mean(axis=0) - log_w
    sd = reference.std(axis=0) + np.finfo(float).tiny
    largest = ((reference.mean(axis=0) - reference) / sd)[:, 1:].max(axis=1)
    p = (1 + (largest[:, None] >= gap / sd).sum(axis=0)) / (1 + N_REFERENCES)
    se = sd * np.sqrt(1 + 1 / N_REFERENCES)
    strengths = [1.0] + [prediction_strength(z, k, rng) if p[k - 1] <= ALPHA else np.nan for k in range(2, top + 1)]
    return [
        ClusterNumber(k, float(gap[k - 1]), float(se[k - 1]), float(p[k - 1]) if k > 1 else np.nan, strength)
        for k, strength in enumerate(strengths, start=1)
    ]


def chosen_number(numbers: list[ClusterNumber], *, last: int | None = None) -> int:
    """The k of the largest gap among those that clear both bars, else 1; `last` stays while its gap is as good."""
    eligible = [one for one in numbers if one.k > 1 and one.is_structure]
    if not eligible:
        return 1
    best = max(eligible, key=lambda one: one.gap)
    as_good = [one.k for one in eligible if one.gap >= best.gap - best.gap_se]
    return last if last in as_good else best.k


def prediction_strength(z: Array, k: int, rng: np.random.Generator) -> float:
    """Mean over splits of the worst cluster's share of pairs that the other half's centres keep together."""
    found = []
    for _ in range(N_SPLITS):
        order = rng.permutation(z.shape[0])
        halves = np.array_split(order, 2)
        fits = [k_means(z[half], k, rng, starts=MANY_STARTS) for half in halves]
        found += [_kept_pairs(fits[1 - side].predict(z[halves[side]]), fits[side].labels_, k) for side in (0, 1)]
    return float(np.mean(found))


def _kept_pairs(predicted: Any, own: Any, k: int) -> float:
    table = np.zeros((k, k))
    np.add.at(table, (own, predicted), 1)
    size = table.sum(axis=1)
    pairs, together = size * (size - 1), (table * (table - 1)).sum(axis=1)
    return float(np.min(together[pairs > 0] / pairs[pairs > 0], initial=1.0))


def _drawn(features: StandardisedFeatures, rng: np.random.Generator) -> tuple[Array, Mask]:
    n = features.rows.size
    if n <= CHOICE_LEARNERS:
        return features.z, features.known
    some = rng.choice(n, CHOICE_LEARNERS, replace=False)
    return features.z[some], features.known[some]


def _log_dispersion(z: Array, top: int, rng: np.random.Generator) -> Array:
    """(top,) log of the dispersion within k = 1 .. top clusters over that of all."""
    total = np.square(z - z.mean(axis=0)).sum()
    within = [total] + [k_means(z, k, rng).inertia_ for k in range(2, top + 1)]
    return np.asarray(np.log(np.maximum(within, np.finfo(float).tiny) / total))


def _one_normal(z: Array, known: Mask, rng: np.random.Generator) -> Array:
    """As many learners from one normal distribution, its moments from the known values, with the same ones missing."""
    seen = known.astype(float)
    covariance = (z.T @ z) / np.maximum(seen.T @ seen, 1.0)
    variance, axes = np.linalg.eigh(covariance)
    draw = rng.standard_normal(z.shape) * np.sqrt(np.maximum(variance, 0.0)) @ axes.T
    return np.where(known, draw, 0.0)


def as_integers(labels: Any) -> Ints:
    """Cluster numbers as scikit-learn gives them, as ours."""
    return np.asarray(labels, np.int64)
