"""Names of clusters, from how their members differ from all learners; in English and Korean."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from thetaline.learning._types import Array
from thetaline.learning.segments.features import Feature

MIN_DIFFERENCE = 0.4  # in standard deviations of all learners: what a name says must be at least so true
KEPT_DIFFERENCE = 0.2  # of a name that the segment already has
NO_STRUCTURE = "no_structure"
UNSTABLE = "unstable"
AVERAGE = "average"


class Words(NamedTuple):
    """One label for people."""

    english: str
    korean: str


MARKS: Mapping[str, Mapping[str, int]] = {
    "short_frequent": {Feature.SESSIONS_PER_WEEK: 1, Feature.SESSION_MINUTES: -1},
    "long_rare": {Feature.SESSIONS_PER_WEEK: -1, Feature.SESSION_MINUTES: 1},
    "intensive": {Feature.SESSIONS_PER_WEEK: 1, Feature.SESSION_MINUTES: 1},
    "occasional": {Feature.SESSIONS_PER_WEEK: -1, Feature.SESSION_MINUTES: -1},
    "hint_heavy": {Feature.HINT_SHARE: 1},
    "improving": {Feature.THETA_SLOPE: 1},
    "struggling": {Feature.ACCURACY: -1, Feature.THETA_SLOPE: -1},
    "efficient": {Feature.ACCURACY: 1, Feature.ANSWER_SECONDS: -1},
}
WORDS: Mapping[str, Words] = {
    "short_frequent": Words("short and frequent sessions", "짧고 자주 학습"),
    "long_rare": Words("long but rare sessions", "길지만 드물게 학습"),
    "intensive": Words("long and frequent sessions", "길고 자주 학습"),
    "occasional": Words("short and rare sessions", "짧고 드물게 학습"),
    "hint_heavy": Words("many hints", "힌트를 많이 사용"),
    "improving": Words("improving", "실력 향상 중"),
    "struggling": Words("struggling", "학습에 어려움"),
    "efficient": Words("quick and right", "빠르고 정확"),
    AVERAGE: Words("average", "평균적"),
    NO_STRUCTURE: Words("no distinct groups", "뚜렷한 집단 없음"),
    UNSTABLE: Words("no stable group", "안정적이지 않은 집단"),
}
FEATURE_WORDS: Mapping[str, Words] = {
    Feature.SESSIONS_PER_WEEK: Words("sessions a week", "주당 학습 횟수"),
    Feature.SESSION_MINUTES: Words("time a session", "학습 한 번의 시간"),
    Feature.HINT_SHARE: Words("use of hints", "힌트 사용"),
    Feature.ACCURACY: Words("share of right answers", "정답률"),
    Feature.ANSWER_SECONDS: Words("time an answer", "풀이 시간"),
    Feature.THETA: Words("ability", "능력"),
    Feature.THETA_SLOPE: Words("growth", "성장"),
}


def words_of(label: str) -> Words:
    """The words for a label; of one made from a feature, high_… or low_…, those of the feature."""
    if label in WORDS:
        return WORDS[label]
    side, _, feature = label.partition("_")
    name = FEATURE_WORDS.get(feature, Words(feature.replace("_", " "), feature))
    return Words(f"{side} {name.english}", f"{name.korean} {'높음' if side == 'high' else '낮음'}")


def profile_labels(profiles: Array, names: Sequence[str], kept: Sequence[str | None]) -> list[str]:
    """A label of its own for each of the (k, F) mean profiles in standard deviations.

    `kept` has the label that a segment had in the last run: it stays where it is still true. The others share out the
    names of `MARKS` so that together they are as true as can be; what none fits is named by its largest difference.
    """
    score = np.array([[truth(profile, names, label) for label in MARKS] for profile in profiles])
    labels = [_still_true(label, profile, names) for label, profile in zip(kept, profiles, strict=True)]
    free_rows = [row for row, label in enumerate(labels) if label is None]
    free_columns = [column for column, label in enumerate(MARKS) if label not in labels]
    worth = np.where(score >= MIN_DIFFERENCE, score, 0.0)[np.ix_(free_rows, free_columns)]
    for row, column in zip(*linear_sum_assignment(-worth), strict=True):
        if worth[row, column] > 0:
            labels[free_rows[row]] = list(MARKS)[free_columns[column]]
    return _with_largest_differences(labels, profiles, names)


def truth(profile: Array, names: Sequence[str], label: str) -> float:
    """How far, in standard deviations, a profile is what the label says, in the weakest of its marks; −inf unknown."""
    place = dict(zip(names, profile, strict=True))
    if label == AVERAGE:
        return MIN_DIFFERENCE - float(np.abs(profile).max())
    marks = MARKS.get(label) or _mark_of(label)
    return min(sign * float(place.get(feature, -sign * np.inf)) for feature, sign in marks.items())


def _mark_of(label: str) -> Mapping[str, int]:
    side, _, feature = label.partition("_")
    return {feature: 1 if side == "high" else -1}


def _still_true(label: str | None, profile: Array, names: Sequence[str]) -> str | None:
    if label is None or label in (NO_STRUCTURE, UNSTABLE):
        return None
    return label if truth(profile, names, label) >= (0.0 if label == AVERAGE else KEPT_DIFFERENCE) else None


def _with_largest_differences(labels: list[str | None], profiles: Array, names: Sequence[str]) -> list[str]:
    found = list(labels)
    for row, profile in enumerate(profiles):
        if found[row] is not None:
            continue
        order = np.argsort(-np.abs(profile))
        options = [f"{'high' if profile[place] > 0 else 'low'}_{names[place]}" for place in order]
        if np.abs(profile).max() < MIN_DIFFERENCE:
            options.insert(0, AVERAGE)
        found[row] = next((option for option in options if option not in found), f"{options[0]}_{row + 1}")
    return [label for label in found if label is not None]
