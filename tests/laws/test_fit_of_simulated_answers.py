"""Fit statistics on answers whose model is known: silent where it holds, loud where it does not."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from thetaline import irt
from thetaline.errors import InputError, ResponsesError
from thetaline.irt.fit_statistics.infit import infit_and_outfit
from thetaline.irt.fit_statistics.local_dependence import flagged, residual_correlations
from thetaline.irt.fit_statistics.m2 import MomentFit, m2
from thetaline.irt.fit_statistics.residuals import Answers


def bank(rng: np.random.Generator, n: int = 12) -> irt.Items:
    return irt.Items(ids=range(n), model="2PL", a=rng.lognormal(0, 0.25, n), b=rng.normal(0, 0.8, n))


def graded_bank(rng: np.random.Generator, n: int = 10) -> irt.Items:
    return irt.Items(
        ids=range(n), model="GRM", a=rng.lognormal(0.2, 0.2, n), b=rng.normal(0, 0.5, (n, 1)) + np.array([-1, 0, 1.2])
    )


@cache
def calibrated() -> tuple[irt.Responses, irt.Fit]:
    rng = np.random.default_rng(11)
    responses = irt.simulate(bank(rng), rng.normal(size=1500), rng)
    return responses, irt.calibrate(responses)


def with_answers(responses: irt.Responses, answer: np.ndarray) -> irt.Responses:
    return irt.Responses(
        responses.person_ids, responses.item_ids, responses.indptr, responses.item, answer, responses.counts
    )


def without(responses: irt.Responses, gone: np.ndarray) -> irt.Responses:
    """The same persons with some answers taken out."""
    indptr = np.concatenate([[0], np.cumsum(np.bincount(responses.person[~gone], minlength=responses.n_persons))])
    item, answer = responses.item[~gone], responses.answer[~gone]
    return irt.Responses(responses.person_ids, responses.item_ids, indptr, item, answer, responses.counts)


def test_s_x2_rejects_one_true_item_in_twenty() -> None:
    p = []
    for seed in range(60):
        rng = np.random.default_rng([1, seed])
        responses = irt.simulate(bank(rng), rng.normal(size=500), rng)
        p.append(irt.item_fit(irt.calibrate(responses), responses).s_x2_p)
    # 720 tests: 3 to 8 % holds a rate of 5 % in with a probability of 0.99.
    assert 0.03 < np.mean(np.array(p) < 0.05) < 0.08


def test_an_item_that_the_weakest_have_learnt_by_heart_is_found_by_s_x2_and_rmsd() -> None:
    rng = np.random.default_rng(12)
    theta = rng.normal(size=1500)
    responses = irt.simulate(bank(rng), theta, rng)
    answer = responses.answer.copy()
    answer[(responses.item == 3) & (theta[responses.person] < -0.8)] = 1
    found = irt.item_fit(irt.calibrate(with_answers(responses, answer)), with_answers(responses, answer))
    assert found.s_x2_p[3] < 1e-4
    assert found.s_x2_p[3] == found.s_x2_p.min()
    assert found.rmsd[3] == found.rmsd.max()


def test_under_the_model_rmsd_is_small_and_infit_a_little_below_one() -> None:
    responses, fit = calibrated()
    found = irt.item_fit(fit, responses)
    # An answer is part of the EAP that predicts it: the fewer the items, the smaller its residual.
    assert 0.8 < found.infit.min() < found.infit.max() < 1.0
    assert np.all(found.rmsd < 0.03)
    assert found.n_complete == 1500


def test_pattern_counts_stand_for_persons() -> None:
    responses, fit = calibrated()
    patterns, counts = np.unique(responses.answer.reshape(1500, 12), axis=0, return_counts=True)
    folded = irt.Responses.from_matrix(patterns, counts=counts)
    one, other = irt.item_fit(fit, responses), irt.item_fit(fit, folded)
    for field in ("infit", "infit_z", "outfit", "outfit_z", "s_x2", "rmsd", "n_answers"):
        np.testing.assert_allclose(getattr(one, field), getattr(other, field), rtol=1e-9)
    np.testing.assert_allclose(irt.model_fit(fit, responses).m2, irt.model_fit(fit, folded).m2, rtol=1e-9)
    q3, folded_q3 = (irt.local_dependence(fit, side).q3 for side in (responses, folded))
    np.testing.assert_allclose(q3, folded_q3, rtol=1e-9)


def test_with_missing_answers_s_x2_rests_on_the_complete_persons_and_infit_on_all() -> None:
    responses, fit = calibrated()
    gone = (responses.person < 700) & (responses.item == 5)
    thinned = without(responses, gone)
    found = irt.item_fit(fit, thinned)
    complete = irt.item_fit(fit, without(responses, responses.person < 700))
    assert found.n_complete == 800
    assert found.n_answers[5] == 800
    assert found.n_answers[4] == 1500
    np.testing.assert_allclose(found.s_x2, complete.s_x2)


def test_where_nobody_is_complete_s_x2_is_absent_and_the_rest_is_there() -> None:
    rng = np.random.default_rng(13)
    items = bank(rng, 30)
    responses = irt.simulate(items, rng.normal(size=1500), rng, n_answers=15)
    fit = irt.calibrate(responses)
    found = irt.item_fit(fit, responses)
    assert np.isnan(found.s_x2).all()
    assert found.n_complete == 0
    assert 0.8 < found.infit.min() < found.infit.max() < 1.0
    with pytest.raises(ResponsesError, match="0 of 1500 did"):
        irt.model_fit(fit, responses)


def test_answers_beyond_the_categories_and_foreign_items_are_refused() -> None:
    responses, fit = calibrated()
    with pytest.raises(ResponsesError, match="none of the 12 items"):
        irt.item_fit(fit, irt.Responses.from_matrix(responses.answer.reshape(1500, 12), items=list("abcdefghijkl")))
    answer = responses.answer.copy()
    answer[0] = 2
    with pytest.raises(ResponsesError, match="categor"):
        irt.item_fit(fit, with_answers(responses, answer))


def test_groups_of_a_calibration_have_to_be_named_again() -> None:
    rng = np.random.default_rng(14)
    items = bank(rng, 8)
    theta = np.concatenate([rng.normal(0, 1, 800), rng.normal(0.8, 1.2, 800)])
    groups = np.repeat(["a", "b"], 800)
    responses = irt.simulate(items, theta, rng)
    fit = irt.calibrate(responses, groups=groups)
    with pytest.raises(InputError, match="give `groups`"):
        irt.item_fit(fit, responses)
    with pytest.raises(InputError, match=r"\['c'\] were not calibrated"):
        irt.item_fit(fit, responses, groups=np.repeat(["a", "c"], 800))
    found = irt.model_fit(fit, responses, groups=groups)
    # 36 moments a group, 16 item parameters and the second group's mean and sd.
    assert found.df == 2 * 36 - 16 - 2
    assert found.p > 0.001
    assert irt.item_fit(fit, responses, groups=groups).s_x2_p.min() > 0.001


def test_m2_accepts_the_true_model_and_rejects_a_rasch_model_for_unequal_slopes() -> None:
    responses, fit = calibrated()
    assert irt.model_fit(fit, responses).p > 0.01
    rng = np.random.default_rng(20)
    unequal = irt.Items(ids=range(12), model="2PL", a=np.tile([0.5, 2.0], 6), b=rng.normal(0, 0.8, 12))
    responses = irt.simulate(unequal, rng.normal(size=1500), rng)
    wrong = irt.model_fit(irt.calibrate(responses, model="Rasch"), responses)
    assert wrong.p < 1e-6
    assert 0.02 < wrong.rmsea.low < wrong.rmsea.value < wrong.rmsea.high


def test_m2_star_of_graded_items_accepts_the_true_model() -> None:
    rng = np.random.default_rng(15)
    responses = irt.simulate(graded_bank(rng), rng.normal(size=1000), rng)
    fit = irt.calibrate(responses, model="GRM")
    star, full = irt.model_fit(fit, responses), irt.model_fit(fit, responses, statistic="M2")
    assert (star.statistic, star.df) == ("M2*", 10 + 45 - 40)
    assert (full.statistic, full.df) == ("M2", 30 + 45 * 9 - 40)
    assert star.p > 0.01
    assert full.p > 0.01


@pytest.mark.parametrize("method", ["WLE", "MLE", "MAP"])
def test_lz_star_is_standard_normal_under_the_model_and_lz_is_not(method: str) -> None:
    rng = np.random.default_rng(16)
    items = bank(rng, 40)
    _, fit = calibrated()
    known = replace(fit, items=items, anchored=np.zeros(40, dtype=bool))
    responses = irt.simulate(items, rng.normal(size=4000), rng)
    found = irt.person_fit(known, responses, method=method)
    assert abs(np.nanmean(found.lz_star)) < 0.07
    assert abs(np.nanstd(found.lz_star) - 1) < 0.05
    assert np.std(found.lz) < 0.97
    assert 0.03 < np.nanmean(found.p < 0.05) < 0.08


def test_persons_who_answer_upside_down_have_the_lowest_lz_star() -> None:
    responses, fit = calibrated()
    b = fit.items.b
    x = responses.answer.reshape(1500, 12).copy()
    x[:20] = b[None] > np.median(b)
    found = irt.person_fit(fit, irt.Responses.from_matrix(x))
    assert found.lz_star[:20].max() < -2
    assert set(range(20)) <= set(found.flagged(0.05).tolist())


def test_polytomous_lz_star_is_standard_normal_too() -> None:
    rng = np.random.default_rng(17)
    items = graded_bank(rng, 20)
    responses = irt.simulate(items, rng.normal(size=3000), rng)
    found = irt.person_fit(irt.calibrate(responses, model="GRM"), responses)
    assert abs(np.nanmean(found.lz_star)) < 0.1
    assert abs(np.nanstd(found.lz_star) - 1) < 0.07


def test_equal_rasch_items_leave_nothing_for_lz_star_to_test() -> None:
    items = irt.Items(ids=range(6), model="Rasch", b=np.zeros(6))
    _, fit = calibrated()
    known = replace(fit, items=items, anchored=np.zeros(6, dtype=bool))
    found = irt.person_fit(known, irt.Responses.from_matrix(np.tril(np.ones((6, 6)))))
    assert np.isnan(found.lz_star).all()


def test_items_that_share_more_than_ability_are_flagged_and_no_others() -> None:
    rng = np.random.default_rng(18)
    items = bank(rng, 25)
    responses = irt.simulate(items, rng.normal(size=2000), rng)
    x = responses.answer.reshape(2000, 25).copy()
    copied = rng.random(2000) < 0.5
    x[copied, 9] = x[copied, 4]
    responses = irt.Responses.from_matrix(x)
    found = irt.local_dependence(irt.calibrate(responses), responses)
    assert found.pairs.tolist() == [[4, 9]]
    assert found.pair_q3[0] > 0.2
    assert found.mean == pytest.approx(-1 / 24, abs=0.02)


def test_q3_is_pairwise_and_the_same_by_sparse_and_by_dense_products() -> None:
    rng = np.random.default_rng(19)
    items = bank(rng, 40)
    responses = irt.simulate(items, rng.normal(size=1500), rng, n_answers=7)
    fit = irt.calibrate(responses, priors=irt.Priors(a=irt.LogNormal(0, 0.5), b=irt.Normal(0, 2)))
    theta = irt.score(responses, fit.items, method="EAP").theta
    q3, n = residual_correlations(fit.items, responses, theta)
    assert responses.density < 0.2
    residual = np.full((1500, 40), np.nan)
    expected = fit.items.expected_score(theta).T
    residual[responses.person, responses.item] = responses.answer - expected[responses.person, responses.item]
    both = np.isfinite(residual[:, 3]) & np.isfinite(residual[:, 17])
    assert n[3, 17] == both.sum()
    assert q3[3, 17] == pytest.approx(np.corrcoef(residual[both, 3], residual[both, 17])[0, 1])


def test_the_z_of_a_mean_square_is_capped_where_one_answer_is_all_but_impossible() -> None:
    log_p = np.log(np.array([[0.99] * 4, [0.01] * 4]))
    answers = Answers(0, np.arange(4), np.array([1, 0, 0, 0]), log_p, np.zeros((2, 4)))
    _, outfit = infit_and_outfit(answers, np.ones(4))
    assert outfit.value == pytest.approx((0.99**2 + 3 * 0.01**2) / (4 * 0.01 * 0.99))
    assert outfit.z == pytest.approx((np.cbrt(outfit.value) - 1) * 3 / 1.4142 + 1.4142 / 3)


def moments(n: int) -> int:
    return n * (n + 1) // 2


@pytest.mark.parametrize("model", ["Rasch", "1PL", "2PL", "mixed"])
def test_m2_loses_one_degree_of_freedom_a_parameter(model: str) -> None:
    responses, _ = calibrated()
    chosen = {i: "Rasch" if i % 2 else "2PL" for i in range(12)} if model == "mixed" else model
    fit = irt.calibrate(responses, model=chosen)
    assert irt.model_fit(fit, responses).df == moments(12) - fit.n_parameters


@pytest.mark.parametrize("model", ["Rasch", "2PL"])
def test_anchors_lose_none_and_the_population_loses_two(model: str) -> None:
    responses, free = calibrated()
    anchors = (
        free.items.take([0, 1, 2]) if model == "2PL" else irt.calibrate(responses, model=model).items.take([0, 1, 2])
    )
    fit = irt.calibrate(responses, model=model, anchors=anchors)
    assert irt.model_fit(fit, responses).df == moments(12) - fit.n_parameters
    lost = irt.item_fit(irt.calibrate(responses, model=model), responses).s_x2_df
    kept = irt.item_fit(fit, responses).s_x2_df
    np.testing.assert_array_equal(kept[:3] - lost[:3], 2)
    np.testing.assert_array_equal(kept[3:], lost[3:])


def test_derivatives_that_say_the_same_cost_one_degree_of_freedom() -> None:
    rng = np.random.default_rng(21)
    column = rng.normal(size=(6, 1))
    group = MomentFit(100.0, rng.normal(size=6), np.eye(6), np.concatenate([column, 2 * column], axis=1))
    assert m2([group])[1] == 5


def test_moments_that_cannot_vary_are_refused() -> None:
    responses, fit = calibrated()
    x = responses.answer.reshape(1500, 12).copy()
    x[:, 0] = 1
    with pytest.raises(ResponsesError, match="always answered alike"):
        irt.model_fit(fit, irt.Responses.from_matrix(x))


def test_too_many_moments_are_refused_with_what_to_do() -> None:
    rng = np.random.default_rng(22)
    _, fit = calibrated()
    items = irt.Items(ids=range(60), model="GRM", a=np.ones(60), b=np.tile([-1.0, 0.0, 1.0], (60, 1)))
    known = replace(fit, items=items, anchored=np.zeros(60, dtype=bool))
    with pytest.raises(ResponsesError, match=r"use 'M2\*'"):
        irt.model_fit(known, irt.simulate(items, rng.normal(size=100), rng), statistic="M2")
    with pytest.raises(InputError, match="unknown statistic 'M3'"):
        irt.model_fit(known, irt.simulate(items, rng.normal(size=100), rng), statistic="M3")


def test_a_large_q3_of_few_persons_is_not_flagged() -> None:
    ids = np.array(list("abc"), dtype=object)
    q3 = np.array([[1.0, 0.6, -0.3], [0.6, 1.0, -0.3], [-0.3, -0.3, 1.0]])
    few, many = (flagged(ids, q3, np.full((3, 3), n), large=0.2, alpha=0.05) for n in (10.0, 1000.0))
    assert few.pairs.tolist() == []
    assert many.pairs.tolist()[0] == ["a", "b"]
    assert many.to_frame()["q3_above_mean"].tolist() == pytest.approx([0.6, -0.3, -0.3])


def test_an_item_that_all_got_right_leaves_the_fit_of_the_others():
    rng = np.random.default_rng(21)
    x = (rng.normal(size=(400, 1)) + rng.logistic(size=(400, 6)) > 0).astype(float)
    x[:, 0] = 1.0
    responses = irt.Responses.from_matrix(x)
    fit = irt.calibrate(responses, priors=irt.Priors(a=irt.LogNormal(0.0, 0.5), b=irt.Normal(0.0, 2.0)))
    found = irt.model_fit(fit, responses)
    assert np.isfinite([found.m2, found.srmsr, found.rmsea.value]).all()
    assert found.srmsr < 0.1


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0, np.nan])
def test_what_is_no_level_of_significance_is_refused(alpha):
    responses = irt.Responses.from_matrix((np.random.default_rng(2).random((60, 4)) < 0.5).astype(float))
    fit = irt.calibrate(responses, model="Rasch")
    with pytest.raises(InputError, match="alpha must lie between 0 and 1"):
        irt.local_dependence(fit, responses, alpha=alpha)
    with pytest.raises(InputError, match="alpha must lie between 0 and 1"):
        irt.dif(responses, np.repeat([0, 1], 30), alpha=alpha)
    with pytest.raises(InputError, match="alpha must lie between 0 and 1"):
        irt.drift(new=fit.items, reference=fit.items, new_covariance=fit.covariance(), alpha=alpha)
