"""The simulated school is what it claims: its truth shows in its answers."""

import numpy as np
import pytest

from thetaline.jobs.demo.recovery import SimulatedWindow, recovery_statistics
from thetaline.jobs.demo.school import DAY_MS, TOPICS, SchoolPlan, simulate

PLAN = SchoolPlan(learners=300)


@pytest.fixture(scope="module")
def school():
    return simulate(PLAN)


def test_the_same_plan_gives_the_same_school_and_another_seed_another(school):
    _, answers = school
    _, again = simulate(PLAN)
    _, other = simulate(SchoolPlan(learners=300, seed=1))
    assert np.array_equal(answers.correct, again.correct)
    assert np.array_equal(answers.at_ms, again.at_ms)
    assert len(other.item) != len(answers.item)


def test_there_are_150_items_and_a_dozen_more_each_month(school):
    truth, answers = school
    assert [np.count_nonzero(truth.opened == week) for week in (0, 4, 8)] == [150, 12, 12]
    assert np.all(answers.week >= truth.opened[answers.item])
    assert len(np.unique(answers.item)) == 174
    assert set(truth.topic) == set(range(len(TOPICS)))
    assert len(set(truth.item_codes)) == 174


def test_answers_fill_twelve_weeks_and_end_with_them(school):
    _, answers = school
    assert answers.at_ms.min() >= 0
    assert 83 * DAY_MS < answers.at_ms.max() < 84 * DAY_MS


def test_learners_sit_down_twice_a_week_some_often_and_some_seldom(school):
    truth, answers = school
    stay = np.flatnonzero(np.isinf(truth.leaves))
    _, learner_of = np.unique(answers.session, return_index=True)
    sittings = np.bincount(answers.learner[learner_of], minlength=300)[stay] / 12
    assert sittings.mean() == pytest.approx(2.0, abs=0.15)
    assert sittings.std() == pytest.approx(np.sqrt(2.0**2 / 6 + 2.0 / 12), abs=0.15)


def test_right_answers_follow_the_two_parameter_logistic_model(school):
    truth, answers = school
    gap = truth.theta(answers.learner, answers.week) - truth.difficulty(answers.item, answers.week)
    p = 1.0 / (1.0 + np.exp(-truth.a[answers.item] * gap))
    answered = answers.correct >= 0
    expected, right = p[answered], answers.correct[answered]
    for part in np.array_split(np.argsort(expected), 10):
        error = np.sqrt(np.sum(expected[part] * (1 - expected[part]))) / len(part)
        assert abs(right[part].mean() - expected[part].mean()) < 4 * error
    assert 0.45 < right.mean() < 0.65


def test_the_proportion_right_ranks_learners_by_ability(school):
    truth, answers = school
    answered = answers.correct >= 0
    n = np.bincount(answers.learner[answered], minlength=300)
    right = np.bincount(answers.learner[answered], answers.correct[answered], minlength=300)
    ability = np.bincount(answers.learner[answered], truth.theta(answers.learner, answers.week)[answered], 300)
    assert np.corrcoef(right / n, ability / n)[0, 1] > 0.9


def test_growth_shows_in_the_answers(school):
    truth, answers = school
    grown = truth.theta(np.arange(300), np.full(300, 12.0)) - truth.theta0
    shown = _proportion(answers, 8.0, 12.0) - _proportion(answers, 0.0, 4.0)
    there = np.isfinite(shown) & np.isinf(truth.leaves)
    assert np.corrcoef(grown[there], shown[there])[0, 1] > 0.6
    assert 0.3 < grown.mean() < 0.9


def _proportion(answers, start, stop):
    within = (answers.week >= start) & (answers.week < stop) & (answers.correct >= 0)
    n = np.bincount(answers.learner[within], minlength=300).astype(float)
    n[n < 20] = np.nan
    return np.bincount(answers.learner[within], answers.correct[within], minlength=300) / n


def test_ability_is_a_line_that_goes_on_after_the_end(school):
    truth, _ = school
    found = truth.theta(np.full(3, 7), np.array([0.0, 6.0, 20.0]))
    assert found == pytest.approx(truth.theta0[7] + truth.rate[7] * np.array([0.0, 6.0, 20.0]))


def test_a_few_items_change_their_difficulty_when_the_eighth_week_begins(school):
    truth, _ = school
    drifting = np.flatnonzero(truth.drift)
    assert len(drifting) == 6
    assert np.all(truth.opened[drifting] == 0)
    before, after = (truth.difficulty(drifting, np.full(6, week)) for week in (6.99, 7.0))
    assert after - before == pytest.approx(truth.drift[drifting])


def test_questions_repeat_across_sittings_but_not_within_one(school):
    _, answers = school
    assert len(np.unique(answers.session * 1000 + answers.item)) == len(answers.item)
    assert len(np.unique(answers.learner * 1000 + answers.item)) < 0.8 * len(answers.item)


def test_some_questions_stay_open_some_hints_are_used_and_time_passes_within_a_sitting(school):
    _, answers = school
    assert 0.01 < np.mean(answers.correct < 0) < 0.06
    assert 0.05 < answers.hint.mean() < 0.25
    same = answers.session[1:] == answers.session[:-1]
    assert np.all(np.diff(answers.at_ms)[same] > 0)
    assert 30_000 < np.median(answers.response_ms) < 50_000


def test_some_learners_leave_for_good(school):
    truth, answers = school
    gone = np.flatnonzero(np.isfinite(truth.leaves))
    assert 5 < len(gone) < 50
    for learner in gone:
        assert answers.week[answers.learner == learner].max() < truth.leaves[learner] + 1 / 7


def test_the_true_linking_constants_are_the_means_and_spreads_of_the_windows(school):
    truth, answers = school
    first, last = SimulatedWindow(truth, answers, 0.0, 4.0), SimulatedWindow(truth, answers, 8.0, 12.0)
    A, B = last.moments().link_to(first.moments())
    theta = np.array(list(last.abilities().values()))
    on_first = (theta - first.moments().mean) / first.moments().sd
    assert (on_first.std(), on_first.mean()) == pytest.approx((A, B))
    assert 0.9 < A < 1.2
    assert B > 0.1


def test_items_on_a_windows_scale_give_the_same_probabilities(school):
    truth, answers = school
    window = SimulatedWindow(truth, answers, 0.0, 4.0)
    scale = window.moments()
    a, b = np.array(list(window.items(scale).values())).T
    theta = 0.7
    assert a * ((theta - scale.mean) / scale.sd - b) == pytest.approx(truth.a * (theta - truth.b))


def test_nearness_compares_what_both_know():
    near = recovery_statistics({"x": 1.0, "y": 2.0, "z": 3.0}, {"x": 1.5, "y": 2.5, "z": 3.5, "more": 9.0})
    assert (near.n, near.correlation, near.rmse) == pytest.approx((3, 1.0, 0.5))


def test_response_times_are_lognormal_around_forty_seconds_and_shorter_on_easier_questions(school):
    truth, answers = school
    gap = truth.theta(answers.learner, answers.week) - truth.difficulty(answers.item, answers.week)
    log_seconds = np.log(answers.response_ms / 1000)
    slope, level = np.polyfit(gap, log_seconds, 1)
    assert slope == pytest.approx(-0.15, abs=0.01)
    assert level == pytest.approx(np.log(40), abs=0.01)
    assert np.std(log_seconds - slope * gap) == pytest.approx(0.5, abs=0.01)
