"""Which segment of the last run each segment of this run continues."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from thetaline.learning._types import Array, Ints
from thetaline.learning.segments.features import FeatureTable, StandardisedFeatures
from thetaline.learning.segments.stability import jaccard_table

MIN_SIMILARITY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class LastSegments:
    """The run before: `labels` and `centres` (k, F) of features `names`, and who was where, `segment` (N,) from 0."""

    user_ids: NDArray[np.str_]
    segment: Ints
    labels: tuple[str, ...]
    names: tuple[str, ...]
    centres: Array

    @property
    def k(self) -> int:
        """Number of segments."""
        return len(self.labels)


def continued(
    table: FeatureTable, features: StandardisedFeatures, cluster: Ints, profiles: Array, last: LastSegments
) -> list[int | None]:
    """For each of k clusters the segment of the last run that it continues, at most one each; None is a new one.

    Similarity is the mean of the Jaccard index of the members known to both runs and exp(−d²), d the root mean square
    of the profiles' differences in standard deviations; with no member in common it is the profile alone.
    """
    before = _before(table.user_ids[features.rows], last)
    there = before >= 0
    members = jaccard_table(np.where(there, cluster, -1), before, len(profiles), last.k)
    old = np.stack([features.profile_of(centre, last.names) for centre in last.centres])
    alike = _alikeness(profiles, old)
    similarity = (members + alike) / 2 if there.any() else alike
    found: list[int | None] = [None] * len(profiles)
    for new, at in zip(*linear_sum_assignment(-similarity), strict=True):
        if similarity[new, at] >= MIN_SIMILARITY:
            found[new] = int(at)
    return found


def _alikeness(profiles: Array, old: Array) -> Array:
    """exp(−d²) of each pair of profiles over the features that the old one has; 0 where it has none of them."""
    known = np.isfinite(old)
    squares = np.square(profiles[:, None] - np.where(known, old, 0.0)[None]) * known[None]
    n_known = known.sum(axis=1)
    return np.where(n_known > 0, np.exp(-squares.sum(axis=2) / np.maximum(n_known, 1)), 0.0)


def _before(user_ids: NDArray[np.str_], last: LastSegments) -> Ints:
    """The segment of each learner in the last run, −1 for one who was not in it."""
    place = {user: int(segment) for user, segment in zip(last.user_ids.tolist(), last.segment, strict=True)}
    return np.array([place.get(user, -1) for user in user_ids.tolist()], np.int64)
