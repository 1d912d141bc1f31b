"""Item fit on simulated answers: S-X2 keeps its level, a misfitting item is found, missing answers are told."""

import numpy as np
import pytest
from fitted import bank, calibrated, with_answers, without

from thetaline import irt
from thetaline.errors import InputError, ResponsesError
from thetaline.irt.fit_statistics.infit import infit_and_outfit
from thetaline.irt.fit_statistics.residuals import ItemAnswers


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


def test_under_the_model_infit_and_outfit_average_one_and_their_z_keep_their_level() -> None:
    values, z = [], []
    for seed in range(24):
        rng = np.random.default_rng([4, seed])
        responses = irt.simulate(bank(rng, 20), rng.normal(size=300), rng, n_answers=20 if seed % 2 else 14)
        found = irt.item_fit(irt.calibrate(responses), responses)
        values.append((found.infit, found.outfit))
        z.append((found.infit_z, found.outfit_z))
    assert np.mean(values, axis=(0, 2)) == pytest.approx([1.0, 1.0], abs=0.01)
    rates = np.nanmean(np.abs(z) > 1.96, axis=(0, 2))
    assert rates.min() >= 0.03
    assert rates.max() <= 0.08


@pytest.mark.parametrize("model", ["Rasch", "GRM", "3PL"])
def test_mean_squares_of_every_kind_of_item_average_one(model: str) -> None:
    rng = np.random.default_rng(41)
    b = rng.normal(0, 1, (20, 1)) + (np.array([-1.0, 0.0, 1.0]) if model == "GRM" else np.zeros(1))
    guess = np.full(20, 0.1) if model == "3PL" else None
    items = irt.Items(ids=range(20), model=model, a=None if model == "Rasch" else np.full(20, 1.2), b=b, c=guess)
    responses = irt.simulate(items, rng.normal(size=1500), rng)
    priors = irt.Priors(c=irt.Normal(-3, 0.5)) if model == "3PL" else None
    found = irt.item_fit(irt.calibrate(responses, model, priors=priors), responses)
    assert [found.infit.mean(), found.outfit.mean()] == pytest.approx([1.0, 1.0], abs=0.02)
    assert np.mean(np.abs([found.infit_z, found.outfit_z]) > 1.96) <= 0.15


def test_noise_in_an_item_is_seen_by_infit_and_outfit_against_known_parameters() -> None:
    rng = np.random.default_rng(43)
    items = bank(rng, 20)
    responses = irt.simulate(items, rng.normal(size=2000), rng)
    answer = np.where(
        (responses.item == 3) & (rng.random(responses.item.size) < 0.6),
        rng.random(responses.item.size) < 0.5,
        responses.answer,
    )
    noisy = with_answers(responses, answer.astype(np.uint8))
    found = irt.item_fit(irt.calibrate(noisy, anchors=items), noisy)
    assert min(found.infit_z[3], found.outfit_z[3]) > 3.0
    assert (np.argmax(found.infit), np.argmax(found.infit_z)) == (3, 3)


def test_other_residuals_than_those_named_are_refused() -> None:
    responses, fit = calibrated()
    with pytest.raises(InputError, match="unknown residuals 'mirt'; choose one of posterior, EAP"):
        irt.item_fit(fit, responses, residuals="mirt")


def test_under_the_model_rmsd_is_small_and_infit_at_the_eap_below_one() -> None:
    responses, fit = calibrated()
    found = irt.item_fit(fit, responses, residuals="EAP")
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
    assert 0.9 < found.infit.min() < found.infit.max() < 1.1
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


def test_the_z_of_a_mean_square_is_capped_where_one_answer_is_all_but_impossible() -> None:
    log_p = np.log(np.array([[0.99] * 4, [0.01] * 4]))
    answers = ItemAnswers(0, np.arange(4), np.array([1, 0, 0, 0]), log_p, np.zeros((2, 4)))
    _, outfit = infit_and_outfit(answers, np.ones(4))
    assert outfit.value == pytest.approx((0.99**2 + 3 * 0.01**2) / (4 * 0.01 * 0.99))
    assert outfit.z == pytest.approx((np.cbrt(outfit.value) - 1) * 3 / 1.4142 + 1.4142 / 3)
