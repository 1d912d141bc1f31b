"""Learners grouped by how they learn, where there are groups at all."""

from importlib.util import find_spec

import numpy as np
from threadpoolctl import threadpool_limits

from thetaline.errors import InputError
from thetaline.learning._types import Array, Ints, Mask
from thetaline.learning.segments.features import FeatureTable, StandardisedFeatures, standardised
from thetaline.learning.segments.labels import NO_STRUCTURE, UNSTABLE, profile_labels
from thetaline.learning.segments.matching import LastSegments, continued
from thetaline.learning.segments.number import (
    MANY_STARTS,
    MAX_CLUSTERS,
    ClusterNumber,
    as_integers,
    chosen_number,
    k_means,
    numbers_of_clusters,
)
from thetaline.learning.segments.result import NOT_ASSIGNED, Segment, Segmentation
from thetaline.learning.segments.stability import MIN_JACCARD, bootstrap_jaccard

MIN_LEARNERS = 40
MIN_FEATURES = 2


def segment_learners(
    table: FeatureTable,
    rng: np.random.Generator,
    *,
    n_clusters: int | None = None,
    last: LastSegments | None = None,
) -> Segmentation:
    """Segments of the learners of a table, named where they are stable and continued from the last run.

    `n_clusters` None lets the data choose from 1 to 8; a given number is taken without a test of it. What
    cannot be fitted is a result with the reason. Raises InputError for a number out of 1 to 8.
    """
    if n_clusters is not None and not 1 <= n_clusters <= MAX_CLUSTERS:
        raise InputError(f"{n_clusters} clusters; give 1 to {MAX_CLUSTERS}, or none to let the data choose")
    if find_spec("sklearn") is None:
        return _not_fitted(table, "segments need the library scikit-learn: pip install 'thetaline[segments]'")
    features = standardised(table)
    reason = why_not(table, features)
    if reason:
        return _not_fitted(table, reason, features.names, features.dropped)
    with threadpool_limits(1):  # of some hundred learners, threads of a busy machine wait for each other thirtyfold
        numbers = [] if n_clusters else numbers_of_clusters(features, rng)
        k = n_clusters or chosen_number(numbers, last=last.k if last else None)
        return _segmentation(table, features, numbers, _clusters(features.z, k, rng), rng, last)


def why_not(table: FeatureTable, features: StandardisedFeatures) -> str:
    """Words for what has no segments to find; empty where one can look."""
    n, n_used = len(table.user_ids), features.rows.size
    if n < MIN_LEARNERS:
        return f"{n} of at least {MIN_LEARNERS} learners have answers"
    if len(features.names) < MIN_FEATURES:
        return (
            f"{len(features.names)} of at least {MIN_FEATURES} features differ between learners; "
            f"constant or mostly unknown: {', '.join(features.dropped)}"
        )
    if n_used < MIN_LEARNERS:
        return f"of {n_used} learners at least half of the features are known; at least {MIN_LEARNERS} are needed"
    return ""


def _clusters(z: Array, k: int, rng: np.random.Generator) -> Ints:
    """The cluster of each row, numbered from the largest."""
    label = as_integers(k_means(z, k, rng, starts=MANY_STARTS).labels_)
    rank = np.argsort(np.argsort(-np.bincount(label, minlength=k), kind="stable"))
    return np.asarray(rank[label], np.int64)


def _segmentation(
    table: FeatureTable,
    features: StandardisedFeatures,
    numbers: list[ClusterNumber],
    cluster: Ints,
    rng: np.random.Generator,
    last: LastSegments | None,
) -> Segmentation:
    k = int(cluster.max()) + 1
    profiles = np.stack([features.z[cluster == one].mean(axis=0) for one in range(k)])
    jaccard = bootstrap_jaccard(features.z, cluster, k, rng) if k > 1 else np.ones(1)
    before = continued(table, features, cluster, profiles, last) if last else [None] * k
    labels = _labels(
        features, profiles, jaccard, [last.labels[at] if last and at is not None else None for at in before]
    )
    segments = tuple(
        Segment(
            label=labels[one],
            size=int((cluster == one).sum()),
            centre=_centre(table, features, cluster == one),
            profile=profiles[one],
            jaccard=float(jaccard[one]),
            continues=before[one],
        )
        for one in range(k)
    )
    assigned = np.full(len(table.user_ids), NOT_ASSIGNED, np.int64)
    assigned[features.rows] = cluster
    vanished = tuple(label for at, label in enumerate(last.labels) if at not in before) if last else ()
    return Segmentation(assigned, segments, features.names, features.dropped, tuple(numbers), vanished)


def _labels(features: StandardisedFeatures, profiles: Array, jaccard: Array, kept: list[str | None]) -> list[str]:
    if len(profiles) == 1:
        return [NO_STRUCTURE]
    stable = np.flatnonzero(jaccard >= MIN_JACCARD)
    labels = [UNSTABLE] * len(profiles)
    names = profile_labels(profiles[stable], features.names, [kept[row] for row in stable]) if stable.size else []
    for row, label in zip(stable, names, strict=True):
        labels[row] = label
    return labels


def _centre(table: FeatureTable, features: StandardisedFeatures, inside: Mask) -> Array:
    """(F',) medians of the members' known values, in raw units; NaN where no member's is known."""
    raw = table.values[features.rows[inside]][:, [table.names.index(name) for name in features.names]]
    known = [column[np.isfinite(column)] for column in raw.T]
    return np.array([np.median(column) if column.size else np.nan for column in known])


def _not_fitted(
    table: FeatureTable, reason: str, names: tuple[str, ...] = (), dropped: tuple[str, ...] = ()
) -> Segmentation:
    nobody = np.full(len(table.user_ids), NOT_ASSIGNED, np.int64)
    return Segmentation(nobody, (), names, dropped, (), (), reason=reason)
