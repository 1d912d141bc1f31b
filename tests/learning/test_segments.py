"""Segments against known truth, and against data that hold none; long versions are benchmarks/segments.py."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.segments import WEEK_SHARE, as_last, label_of_each, number_found, one_normal, separated, table
from sklearn.metrics import adjusted_rand_score
from tests.learning.cohorts import attempts

from thetaline.errors import InputError
from thetaline.learning.segments import (
    NO_STRUCTURE,
    NOT_ASSIGNED,
    UNSTABLE,
    Feature,
    FeatureTable,
    Segmentation,
    activity_features,
    segment_learners,
    words_of,
)
from thetaline.learning.segments.labels import profile_labels
from thetaline.learning.segments.number import ClusterNumber, chosen_number
from thetaline.learning.segments.stability import jaccard_table
from thetaline.learning.windows import Window

NAMES = tuple(Feature)


def found_in(values: np.ndarray, n_clusters: int | None = None) -> Segmentation:
    users = np.array([f"u{number}" for number in range(len(values))])
    return segment_learners(FeatureTable(users, NAMES, values), np.random.default_rng(1), n_clusters=n_clusters)


@pytest.fixture(scope="module")
def four() -> tuple[FeatureTable, np.ndarray, Segmentation]:
    rng = np.random.default_rng(4)
    cohort = separated(rng)
    week = table(cohort.scores, rng)
    return week, cohort.profile, segment_learners(week, rng)


def test_cohorts_from_one_normal_distribution_have_no_structure():
    rng = np.random.default_rng(3)
    assert [number_found(rng, 120) for _ in range(3)] == [1] * 3


def test_separated_profiles_are_found_and_named_by_what_sets_them_apart(four):
    _, profile, found = four
    assert adjusted_rand_score(profile, found.assigned) > 0.9
    assert [one.label for one in found.segments] == ["short_frequent", "long_rare", "hint_heavy", "efficient"]
    assert [one.size for one in found.segments] == sorted((one.size for one in found.segments), reverse=True)
    assert all(one.jaccard >= 0.75 and one.continues is None for one in found.segments)
    assert found.new == tuple(one.label for one in found.segments)


def test_centres_are_medians_of_the_members_in_raw_units(four):
    week, _, found = four
    members = found.assigned == 0
    assert found.names == NAMES
    assert found.segments[0].centre == pytest.approx(np.nanmedian(week.values[members], axis=0))


def test_unchanged_learners_keep_their_label_from_week_to_week(four):
    week, _, found = four
    rng = np.random.default_rng(4)
    scores = separated(rng).scores  # those of `four`
    next_week = table(scores + WEEK_SHARE * rng.normal(size=scores.shape), rng)
    later = segment_learners(next_week, rng, last=as_last(week, found))
    assert (label_of_each(later) != label_of_each(found)).mean() <= 0.1


def test_segments_are_matched_to_the_last_run_and_new_and_vanished_ones_said(four):
    week, profile, found = four
    keep = profile != 1  # the long and rare are gone
    fewer = FeatureTable(week.user_ids[keep], NAMES, week.values[keep])
    renamed = replace(as_last(week, found), labels=("short_frequent", "long_rare", "low_accuracy", "efficient"))
    later = segment_learners(fewer, np.random.default_rng(6), n_clusters=3, last=renamed)
    assert later.vanished == ("long_rare",)
    assert {one.label for one in later.segments} == {"short_frequent", "low_accuracy", "efficient"}
    assert later.new == ()
    back = segment_learners(week, np.random.default_rng(7), n_clusters=4, last=as_last(fewer, later))
    assert back.new == ("long_rare",)
    assert back.vanished == ()


def test_segments_of_other_learners_are_matched_by_profile_alone(four):
    week, _, found = four
    strangers = replace(as_last(week, found), user_ids=np.char.add("other-", week.user_ids[found.assigned >= 0]))
    again = segment_learners(week, np.random.default_rng(8), n_clusters=4, last=strangers)
    assert [one.continues for one in again.segments] == [0, 1, 2, 3]


def test_a_kept_label_is_dropped_when_it_is_true_no_more():
    profiles = np.array([[1.0, -1.0], [0.3, 1.0], [-1.0, 0.1]])
    names = (Feature.SESSIONS_PER_WEEK, Feature.SESSION_MINUTES)
    kept = profile_labels(profiles, names, ["short_frequent", "intensive", "long_rare"])
    assert kept == ["short_frequent", "intensive", "low_sessions_per_week"]


def test_labels_are_never_given_twice_and_an_unremarkable_profile_is_average():
    names = (Feature.ACCURACY, Feature.HINT_SHARE)
    profiles = np.array([[0.1, 0.9], [0.0, 0.8], [0.1, -0.1], [0.9, 0.0]])
    assert profile_labels(profiles, names, [None] * 4) == ["hint_heavy", "high_hint_share", "average", "high_accuracy"]


def test_every_label_has_words_in_both_languages():
    assert words_of("hint_heavy") == ("many hints", "힌트를 많이 사용")
    assert words_of("low_accuracy") == ("low share of right answers", "정답률 낮음")
    assert words_of(NO_STRUCTURE).english == "no distinct groups"


def test_a_cluster_that_other_learners_would_not_show_again_has_no_name():
    rng = np.random.default_rng(2)
    found = found_in(table(one_normal(rng, 100).scores, rng).values, n_clusters=5)
    unstable = [one for one in found.segments if one.jaccard < 0.75]
    assert unstable
    assert all(one.label == UNSTABLE and not one.is_named for one in unstable)
    assert all(one.is_named for one in found.segments if one.jaccard >= 0.75)


def test_the_number_of_clusters_may_be_given(four):
    week, _, _ = four
    assert len(segment_learners(week, np.random.default_rng(1), n_clusters=2).segments) == 2
    assert segment_learners(week, np.random.default_rng(1), n_clusters=1).segments[0].label == NO_STRUCTURE
    with pytest.raises(InputError, match="9 clusters; give 1 to 8"):
        segment_learners(week, np.random.default_rng(1), n_clusters=9)


def test_the_last_number_stays_while_its_gap_is_as_good():
    def number(k: int, gap: float, strength: float = 0.9) -> ClusterNumber:
        return ClusterNumber(k, gap, 0.02, 0.025, strength)

    numbers = [number(1, 0.0), number(2, 0.2), number(3, 0.21), number(4, 0.15), number(5, 0.3, strength=0.7)]
    assert chosen_number(numbers) == 3
    assert chosen_number(numbers, last=2) == 2
    assert chosen_number(numbers, last=4) == 3
    assert chosen_number([one._replace(p=0.075) for one in numbers], last=2) == 1


def test_a_learner_of_whom_little_is_known_is_not_assigned(four):
    week, _, _ = four
    values = week.values.copy()
    values[0, :4] = np.nan
    found = found_in(values[:100], n_clusters=2)
    assert found.assigned[0] == NOT_ASSIGNED
    assert (found.assigned[1:] != NOT_ASSIGNED).all()


def test_constant_and_mostly_unknown_features_are_left_out_and_said(four):
    values = four[0].values[:100].copy()
    values[:, 0] = 7.0
    values[::2, 3] = np.nan
    values[1, 3] = np.nan
    assert found_in(values, n_clusters=2).dropped == (Feature.SESSIONS_PER_WEEK, Feature.ACCURACY)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.empty((0, 7)), "0 of at least 40 learners have answers"),
        (np.ones((1, 7)), "1 of at least 40 learners have answers"),
        (np.ones((60, 7)), "0 of at least 2 features differ between learners; constant or mostly unknown: sessions_"),
        (np.full((60, 7), np.nan), "0 of at least 2 features differ"),
        (np.where(np.arange(60)[:, None] % 2, np.arange(60)[:, None] + np.zeros(7), [[0.5] * 3 + [np.nan] * 4]), "of "),
    ],
)
def test_what_holds_no_segments_is_a_reason(values, reason):
    found = found_in(values)
    assert not found.is_fitted
    assert found.reason.startswith(reason)
    assert (found.assigned == NOT_ASSIGNED).all()
    assert found.segments == ()


def test_jaccard_is_both_over_either():
    table = jaccard_table(np.array([0, 0, 0, 1, -1]), np.array([0, 0, 1, 1, 1]), 2, 2)
    assert table == pytest.approx(np.array([[2 / 3, 1 / 5], [0, 1 / 3]]))


def test_features_of_activity_are_told_from_the_answers_in_the_window():
    timed = {"time_ms": 60_000, "hint": 0, "correct": 1}
    cohort = attempts(
        [
            {"learner": 0, "day": 1, **timed},
            {"learner": 0, "day": 1, "time_ms": 120_000, "hint": 1, "correct": 0},
            {"learner": 0, "day": 9, **timed},
            {"learner": 0, "day": 14, **timed},
            {"learner": 1, "day": 3},
        ],
        n_learners=3,
    )
    found = activity_features(cohort, Window(0, 14))
    assert found[Feature.SESSIONS_PER_WEEK] == pytest.approx([1.0, 0.5, np.nan], nan_ok=True)
    assert found[Feature.SESSION_MINUTES] == pytest.approx([2.0, np.nan, np.nan], nan_ok=True)
    assert found[Feature.HINT_SHARE] == pytest.approx([1 / 3, np.nan, np.nan], nan_ok=True)
    assert found[Feature.ACCURACY] == pytest.approx([2 / 3, np.nan, np.nan], nan_ok=True)
    assert found[Feature.ANSWER_SECONDS] == pytest.approx([60.0, np.nan, np.nan], nan_ok=True)


def test_learners_of_two_kinds_that_are_all_alike_are_two_segments_without_a_warning():
    kinds = np.arange(2.0)[:, None] * np.ones(len(NAMES))
    assert [one.size for one in found_in(np.repeat(kinds, 30, axis=0)).segments] == [30, 30]
