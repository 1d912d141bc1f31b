"""The hazard of falling silent: rows that know no future, a fit that others print too, a verdict that is earned."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.churn import START, WINDOW, as_s_has_it, driven_by_accuracy, fitted, shuffled, vacation
from tests.learning.cohorts import attempts

from thetaline.learning.attempts import Attempts
from thetaline.learning.churn import ChurnFit, Cohort, InForce, fit_churn, landmark_rows
from thetaline.learning.churn.accuracy import accuracy, auc, calibration_line, compared
from thetaline.learning.churn.fit import rows_of_groups
from thetaline.learning.churn.hazard import fit_hazard, probability
from thetaline.learning.churn.holdouts import holdouts, known_by
from thetaline.learning.inactivity import activity_history
from thetaline.learning.windows import Window


@pytest.fixture(scope="module")
def simulated() -> Attempts:
    return driven_by_accuracy(np.random.default_rng(3), 800)


@pytest.fixture(scope="module")
def fit(simulated: Attempts) -> ChurnFit:
    group = ["1a" if who % 2 else None for who in range(simulated.n_learners)]
    return fit_churn(landmark_rows(simulated, WINDOW), np.random.default_rng(1), group=group)


def cohort_of(*days: list[int], n_days: int = 60) -> Cohort:
    """Learners with an answer, right, on each of their days of a window."""
    rows = [{"learner": who, "day": START + day, "correct": 1} for who, own in enumerate(days) for day in own]
    return landmark_rows(attempts(rows, len(days)), Window(START, START + n_days))


def row_of(cohort: Cohort, learner: int, landmark: int) -> dict[str, float]:
    rows = cohort.rows.where((cohort.rows.learner == learner) & (cohort.rows.landmark == landmark))
    assert rows.silent.size == 1
    return dict(zip(rows.names, rows.x[0].tolist(), strict=True)) | {"silent": float(rows.silent[0])}


def test_a_row_has_what_was_known_at_its_landmark():
    row = row_of(cohort_of([2, 30, 31, 40, 44, 45]), 0, 2)  # the landmark is day 45
    assert row["log_silence"] == 0.0
    assert row["active_7"] == 3
    assert row["trend"] == 3 - 2
    assert row["log_spell"] == pytest.approx(np.log1p(45 - 30))
    assert row["returned"] == 1
    assert row["log_rate"] == pytest.approx(np.log(5.5 / 29))
    assert row["overdue"] == 0.0
    assert row["log_answers"] == pytest.approx(np.log(2))
    assert row["accuracy"] == 1.0
    assert np.isnan(row["hint_share"])
    assert row["silent"] == 1.0


def test_the_outcome_is_unknown_until_its_14_days_are_over():
    cohort = cohort_of([38, 45, 52, 59], [38, 45, 52])
    silent = {(who, at): row_of(cohort, who, at)["silent"] for who in (0, 1) for at in (0, 1, 2, 3)}
    assert [silent[0, at] for at in (2, 3)] == [0.0, 0.0]
    assert np.isnan([silent[who, at] for who in (0, 1) for at in (0, 1)]).all()


def test_nothing_after_a_landmark_changes_its_covariates(simulated: Attempts):
    full = landmark_rows(simulated, WINDOW).rows
    past = landmark_rows(simulated, Window(WINDOW.start, WINDOW.stop - 21)).rows
    assert np.array_equal(full.x[full.landmark >= 3], past.x, equal_nan=True)
    assert np.array_equal(full.habit.last[full.landmark >= 3], past.habit.last)


def test_who_is_silent_for_14_days_is_no_more_at_risk_but_reported_and_a_return_is_a_new_spell():
    cohort = cohort_of([31, 45], [31, 46], [10, 50])
    assert cohort.already_silent.tolist() == [True, False, False]
    assert set(cohort.rows.learner[cohort.rows.landmark == 0].tolist()) == {1, 2}
    assert row_of(cohort, 2, 0)["returned"] == 1
    assert row_of(cohort, 2, 0)["log_spell"] == pytest.approx(np.log1p(9))
    assert row_of(cohort, 1, 0)["returned"] == 1  # 15 days apart
    assert row_of(cohort_of([31, 45, 46]), 0, 0)["returned"] == 0


def test_s_is_told_the_same_history_as_by_night(simulated: Attempts):
    cohort = landmark_rows(simulated, WINDOW)
    nightly = activity_history(simulated, Window(WINDOW.stop - 56, WINDOW.stop))
    now = cohort.rows.where(cohort.rows.landmark == 0)
    for ours, theirs in (
        (now.habit.active, nightly.active),
        (now.habit.last, nightly.last),
        (now.habit.days, nightly.days),
    ):
        assert np.array_equal(ours, theirs[now.learner])
    assert cohort.habits[0].days.size == (nightly.days >= 0).sum()


def test_no_fit_for_a_hold_out_reads_an_outcome_that_was_not_known_by_then(simulated: Attempts):
    rows = landmark_rows(simulated, WINDOW).rows
    weeks = holdouts(rows)
    assert weeks == sorted(weeks, reverse=True)
    assert min(weeks) == 2  # two weeks of embargo
    assert all(known_by(rows, week).landmark.min() == week + 2 for week in weeks)


def test_the_hazard_regression_is_that_of_statsmodels():
    # GLM(Binomial(CLogLog)) with cov_type="cluster", uncorrected, of statsmodels 0.15.0: to 6 places, as both iterate.
    i = np.arange(240)
    x = np.column_stack([(i * 37 % 101) / 50 - 1, (i * 53 % 89) / 44 - 1])
    y = ((i * 71 % 113) / 113 < 1 - np.exp(-np.exp(-1 + 0.8 * x[:, 0] - 0.5 * x[:, 1]))).astype(float)
    assert y.sum() == 78
    found = fit_hazard(x, y, i // 3, prior_precision=0.0)
    assert found.beta == pytest.approx([-1.05004152, 0.95621871, -0.51654434], abs=1e-6)
    assert found.se == pytest.approx([0.09029908, 0.20077367, 0.20339707], abs=1e-6)
    assert found.log_likelihood == pytest.approx(-136.447604, abs=1e-6)


def test_covariates_that_separate_the_outcomes_have_finite_coefficients():
    x = np.repeat([-1.0, 1.0], 50)[:, None]
    found = fit_hazard(x, (x[:, 0] > 0).astype(float), np.arange(100))
    assert np.isfinite(found.beta).all()
    assert probability(found.eta(x))[[0, -1]] == pytest.approx([0, 1], abs=0.1)


def test_where_covariates_drive_who_leaves_the_hazard_takes_over_and_is_calibrated(fit: ChurnFit):
    assert fit.in_force is InForce.LANDMARK_HAZARD
    assert [one.baseline for one in fit.comparisons] == ["inactivity", "recency"]
    assert all(one.log_loss_interval[1] < 0 and one.brier_interval[1] < 0 for one in fit.comparisons)
    ours, nightly = fit.accuracy["landmark_hazard"], fit.accuracy["inactivity"]
    assert ours.auc > nightly.auc > 0.7
    assert ours.brier < nightly.brier
    assert 0.75 < ours.slope < 1.3
    assert abs(ours.intercept) < 0.4
    ratio = dict(zip(fit.coefficients.names, fit.coefficients.hazard_ratio, strict=True))
    assert ratio["accuracy"] < 0.3
    assert ratio["overdue"] > 1


def test_the_risk_is_of_those_at_risk_alone_and_ranked(fit: ChurnFit):
    known = np.isfinite(fit.risks.risk)
    assert not (known & fit.already_silent).any()
    assert np.array_equal(fit.risks.risk[known], fit.risks.landmark_hazard[known])
    order = np.argsort(fit.risks.risk[known])
    assert (np.diff(fit.risks.rank_percentile[known][order]) >= 0).all()
    assert np.log(fit.risks.hazard_ratio[known]).mean() == pytest.approx(0, abs=1e-9)


def test_where_the_model_behind_s_is_the_truth_s_stays_in_force():
    rng = np.random.default_rng(4)
    fit = fitted(as_s_has_it(rng, 700), rng)
    assert fit.in_force is InForce.INACTIVITY
    known = np.isfinite(fit.risks.risk)
    assert np.array_equal(fit.risks.risk[known], fit.risks.inactivity[known])
    assert brier_of_new_and_old(fit) == pytest.approx(fit.accuracy["inactivity"].brier)


def brier_of_new_and_old(fit: ChurnFit) -> float:
    parts = [fit.accuracy[f"{age} learners"] for age in ("new", "old")]
    return float(np.average([one.brier for one in parts], weights=[one.n for one in parts]))


def test_shuffled_covariates_are_no_better_than_chance(simulated: Attempts):
    rng = np.random.default_rng(5)
    fit = fit_churn(shuffled(landmark_rows(simulated, WINDOW), rng), rng)
    assert fit.accuracy["landmark_hazard"].auc == pytest.approx(0.5, abs=0.06)
    assert fit.in_force is InForce.INACTIVITY


def test_accuracy_is_told_by_group_and_by_new_and_old_learners(fit: ChurnFit):
    found = fit.accuracy
    assert found["group 1a"].n < found["landmark_hazard"].n
    assert found["new learners"].n + found["old learners"].n == found["landmark_hazard"].n
    assert "group " not in found
    assert brier_of_new_and_old(fit) == pytest.approx(found["landmark_hazard"].brier)


def test_groups_have_their_own_rows(simulated: Attempts):
    cohort = landmark_rows(simulated, WINDOW)
    group = [None if who % 3 == 2 else f"{who % 3}" for who in range(simulated.n_learners)]
    found = rows_of_groups(group, cohort.rows)
    assert list(found) == ["0", "1"]
    for name, rows in found.items():
        assert np.array_equal(rows, np.flatnonzero(cohort.rows.learner % 3 == int(name)))
    assert rows_of_groups([None] * simulated.n_learners, cohort.rows) == {}


def test_a_vacation_raises_no_risk(simulated: Attempts):
    in_vacation = (simulated.day >= START + 104) & (simulated.day < START + 118)
    quiet = simulated.where(~in_vacation)
    aware = landmark_rows(quiet, WINDOW, vacation(104, 14))
    unaware = landmark_rows(quiet, WINDOW)
    before = landmark_rows(quiet, Window(WINDOW.start, START + 104))
    assert np.array_equal(aware.rows.x, before.rows.x, equal_nan=True)
    assert np.array_equal(aware.already_silent, before.already_silent)
    assert unaware.already_silent.sum() > 2 * before.already_silent.sum()


def test_where_all_days_are_free_there_are_no_rows(simulated: Attempts):
    cohort = landmark_rows(simulated, Window(START, START + 118), vacation(0, 118))
    assert cohort.rows.silent.size == 0
    assert not cohort.already_silent.any()
    assert fit_churn(cohort, np.random.default_rng(1)).reason.startswith("0 of at least 30 learners")


def reason_of(days: np.ndarray, n_days: int = 118) -> str:
    learner, day = np.nonzero(days)
    rows = [{"learner": int(who), "day": START + int(on)} for who, on in zip(learner, day, strict=True)]
    window = Window(START, START + n_days)
    found = fit_churn(landmark_rows(attempts(rows, len(days)), window), np.random.default_rng(1))
    assert found.risks is None
    return found.reason


def test_what_holds_no_hazard_is_a_reason():
    always = np.ones((40, 118), bool)
    once = np.zeros((40, 118), bool)
    once[np.arange(40), 30 + np.arange(40)] = True
    late = np.zeros((40, 118), bool)
    late[:, 110:] = True
    few = always.copy()
    few[:5, 60:] = False
    assert reason_of(np.zeros((0, 118), bool)) == "0 of at least 30 learners were active after the first 28 days"
    assert reason_of(always[:1]) == "1 of at least 30 learners were active after the first 28 days"
    assert reason_of(always[:, :30], 30).startswith("of no week are the days after it over")
    assert reason_of(late).startswith("of no week are the days after it over")
    assert reason_of(always) == "in 440 learner-weeks nobody fell silent"
    assert "the learner fell silent" in reason_of(once)
    assert "10 learner-weeks before a silence and 405 others are too few; each needs 20" in reason_of(few)


def test_a_gap_in_everybodys_answers_leaves_too_few_weeks_to_hold_out():
    rng = np.random.default_rng(6)
    days = rng.random((80, 118)) < 0.5
    days[:40, 90:] = False
    assert reason_of(days).startswith("1 of at least 3 weeks can be held out")


def test_rows_that_do_not_differ_have_no_model(simulated: Attempts):
    cohort = landmark_rows(simulated, WINDOW)
    same = replace(cohort, rows=replace(cohort.rows, x=np.ones_like(cohort.rows.x)))
    assert fit_churn(same, np.random.default_rng(1)).reason == "no covariate differs between learners or weeks"


def test_auc_counts_pairs_and_ties_by_half():
    assert auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([0.0, 0.0, 1.0, 1.0])) == pytest.approx(3.5 / 4)


def test_the_calibration_line_of_overconfident_forecasts_is_too_flat():
    rng = np.random.default_rng(7)
    eta = rng.normal(-1, 1, 20_000)
    y = (rng.random(eta.size) < 1 / (1 + np.exp(-eta))).astype(float)
    slope, intercept = calibration_line(1 / (1 + np.exp(-(2 * eta + 1))), y)
    assert slope == pytest.approx(0.5, abs=0.03)
    assert intercept == pytest.approx(-0.5, abs=0.05)
    assert np.isnan(calibration_line(np.full(50, 0.3), y[:50])).all()
    assert np.isnan(accuracy(np.full(20, 0.3), y[:20]).auc)


def test_equal_forecasts_are_not_better():
    rng = np.random.default_rng(8)
    y, who = (rng.random(300) < 0.3).astype(float), np.arange(300)
    found = compared("recency", np.full(300, 0.3), np.full(300, 0.3), y, who, who % 4, rng)
    assert not found.is_better(least_holdouts=3)
    sure = compared("recency", np.where(y > 0, 0.9, 0.1), np.full(300, 0.3), y, who, who % 4, rng)
    assert sure.is_better(least_holdouts=4)
    assert not sure.is_better(least_holdouts=5)
