"""Which clusters would be there again with other learners."""

import numpy as np

from thetaline.learning._types import Array, Ints
from thetaline.learning.segments.number import N_STARTS, k_means

MIN_JACCARD = 0.75
N_BOOTSTRAPS = 30


def bootstrap_jaccard(z: Array, cluster: Ints, k: int, rng: np.random.Generator) -> Array:
    """(k,) mean over resamples of each cluster's Jaccard similarity to its nearest resampled one (Hennig 2007)."""
    return np.asarray(np.mean([_nearest(z, cluster, k, rng) for _ in range(N_BOOTSTRAPS)], axis=0))


def _nearest(z: Array, cluster: Ints, k: int, rng: np.random.Generator) -> Array:
    drawn = np.unique(rng.integers(z.shape[0], size=z.shape[0]))  # a learner drawn twice is one point
    again = k_means(z[drawn], k, rng, starts=2 * N_STARTS)
    return np.asarray(jaccard_table(cluster[drawn], np.asarray(again.labels_, np.int64), k, k).max(axis=1))


def jaccard_table(left: Ints, right: Ints, n_left: int, n_right: int) -> Array:
    """(n_left, n_right) |both| / |either| of clusters of the same learners; −1 is no cluster."""
    both = np.zeros((n_left, n_right))
    inside = (left >= 0) & (right >= 0)
    np.add.at(both, (left[inside], right[inside]), 1)
    size_left = np.bincount(left[left >= 0], minlength=n_left)
    size_right = np.bincount(right[right >= 0], minlength=n_right)
    either = size_left[:, None] + size_right[None, :] - both
    return np.asarray(both / np.maximum(either, 1))
