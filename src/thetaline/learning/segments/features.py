"""What segments are made of: one row of features a learner, transformed towards normal scores."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetaline.learning._types import Array, Index, Mask
from thetaline.learning.attempts import UNKNOWN, Attempts, first_per_pair, median_per_group, pair_key, share
from thetaline.learning.windows import Window

MIN_KNOWN_SHARE = 0.5  # of the learners for a feature, and of the features for a learner
MOST_SDS = 4.0  # further out a value counts as that far: one odd learner makes no cluster
MIN_SD = 1e-9


class Feature(StrEnum):
    """The names of features; each is known by itself, NaN where a learner's answers do not tell it."""

    SESSIONS_PER_WEEK = "sessions_per_week"
    SESSION_MINUTES = "session_minutes"
    HINT_SHARE = "hint_share"
    ACCURACY = "accuracy"
    ANSWER_SECONDS = "answer_seconds"
    THETA = "theta"
    THETA_SLOPE = "theta_slope"


@dataclass(frozen=True, slots=True, eq=False)
class FeatureTable:
    """Raw features: `values` (N, F) in their own units, NaN where unknown, of the learners `user_ids` (N,)."""

    user_ids: NDArray[np.str_]
    names: tuple[str, ...]
    values: Array


@dataclass(frozen=True, slots=True, eq=False)
class StandardisedFeatures:
    """`z` (N', F') with 0 (the mean) where `known` is false; `rows` (N',) are positions in the table's learners."""

    rows: Index
    names: tuple[str, ...]
    z: Array
    known: Mask
    dropped: tuple[str, ...]  # features that are constant, or unknown of most learners
    transformer: Any  # scikit-learn's PowerTransformer

    def profile_of(self, centre: Array, names: tuple[str, ...]) -> Array:
        """(F',) a centre in raw units of features `names`, standardised as these are; NaN for a feature it lacks."""
        place = dict(zip(names, centre, strict=True))
        raw = np.array([[place.get(name, np.nan) for name in self.names]])
        return np.asarray(self.transformer.transform(raw)[0], float)


def standardised(table: FeatureTable) -> StandardisedFeatures:
    """Yeo & Johnson's (2000) power transform of each feature, mean 0 and sd 1; no usable feature gives F' = 0."""
    from sklearn.preprocessing import PowerTransformer  # noqa: PLC0415 - an extra, loaded when it is used

    known_share = np.isfinite(table.values).mean(axis=0) if table.values.size else np.zeros(len(table.names))
    useful = np.flatnonzero([_varies(column) for column in table.values.T] & (known_share >= MIN_KNOWN_SHARE))
    raw = table.values[:, useful]
    rows = np.flatnonzero(np.isfinite(raw).mean(axis=1) >= MIN_KNOWN_SHARE) if useful.size else np.empty(0, np.intp)
    transformer = PowerTransformer()
    names = tuple(table.names[column] for column in useful)
    scores = np.asarray(transformer.fit_transform(raw[rows]), float) if rows.size else np.empty((0, useful.size))
    known = np.isfinite(scores)
    return StandardisedFeatures(
        rows=rows,
        names=names,
        z=np.where(known, np.clip(scores, -MOST_SDS, MOST_SDS), 0.0),
        known=known,
        dropped=tuple(name for name in table.names if name not in names),
        transformer=transformer,
    )


def activity_features(attempts: Attempts, window: Window) -> dict[Feature, Array]:
    """(n_learners,) each: how often, how long, with how many hints, how right and how fast a learner answers."""
    inside = attempts.where(window.contains(attempts.day))
    answered = inside.answered()
    timed = inside.where(inside.time_ms != UNKNOWN)
    hinted = inside.where(inside.hint != UNKNOWN)
    seconds = median_per_group(timed.time_ms, timed.learner, timed.n_learners) / 1e3
    return {
        Feature.SESSIONS_PER_WEEK: _sessions(inside) * 7 / window.days,
        Feature.SESSION_MINUTES: _session_minutes(timed),
        Feature.HINT_SHARE: share(hinted.per_learner(hinted.hint), hinted.per_learner()),
        Feature.ACCURACY: share(answered.per_learner(answered.correct), answered.per_learner()),
        Feature.ANSWER_SECONDS: seconds,
    }


def _varies(column: Array) -> bool:
    known = column[np.isfinite(column)]
    return bool(known.size and np.ptp(known) > MIN_SD * max(1.0, float(np.abs(known).max())))


def _sessions(inside: Attempts) -> Array:
    """Different sessions of each learner; NaN for one without any: absent learners are no kind of learner."""
    first = first_per_pair(inside.learner, inside.session)
    count = np.bincount(inside.learner[first], minlength=inside.n_learners).astype(float)
    return np.where(count > 0, count, np.nan)


def _session_minutes(timed: Attempts) -> Array:
    """The median over a learner's sessions of the time that the answers took."""
    keys, back = np.unique(pair_key(timed.learner, timed.session), return_inverse=True)
    minutes = np.bincount(back, timed.time_ms, keys.size) / 60e3
    return median_per_group(minutes, (keys >> 32).astype(np.int32), timed.n_learners)
