"""Laws of adaptive testing: the best item, limits that hold, exposure that stays under its ceiling, tests that end."""

import numpy as np
import pytest
from banks import MODELS, bank

from thetaline import irt
from thetaline.errors import InputError, ItemsError

BIG = irt.Items(
    ids=[f"q{k}" for k in range(120)],
    a=np.random.default_rng(0).lognormal(0.2, 0.3, 120),
    b=np.random.default_rng(1).normal(0.0, 1.2, 120),
)
AREA = {item: "abc"[k % 3] for k, item in enumerate(BIG.ids)}


@pytest.mark.parametrize("model", MODELS)
def test_the_next_item_has_the_largest_information_of_those_left(model: str) -> None:
    items = bank(model)
    told = items.information([0.7])[:, 0]
    first = irt.next_item(items, 0.7)
    assert first is not None
    assert first.id == items.ids[told.argmax()]
    assert first.value == pytest.approx(told.max())
    second = irt.next_item(items, 0.7, administered=[first.id])
    assert second is not None
    assert second.id == items.ids[np.argsort(-told)[1]]
    assert list(second.ranked) == list(items.ids[np.argsort(-told)[1:]])


def test_posterior_weighted_information_is_the_average_over_the_posterior() -> None:
    nodes, weights = np.array([-2.0, 0.0, 1.0]), np.array([1.0, 2.0, 1.0])
    chosen = irt.next_item(BIG, posterior=(nodes, weights), method="posterior-weighted")
    average = BIG.information(nodes) @ weights / 4.0
    assert chosen is not None
    assert (chosen.id, chosen.value) == (BIG.ids[average.argmax()], pytest.approx(average.max()))


def test_a_sure_posterior_selects_like_its_mean() -> None:
    weighted = irt.next_item(BIG, posterior=(1.2, 0.001), method="posterior-weighted")
    at_point = irt.next_item(BIG, 1.2)
    assert weighted is not None
    assert at_point is not None
    assert weighted.id == at_point.id


def test_nothing_is_left_when_every_item_was_asked() -> None:
    items = bank("2PL", n=3)
    assert irt.next_item(items, 0.0, administered=items.ids) is None


def test_randomesque_spreads_over_the_n_best_and_over_no_others() -> None:
    rng = np.random.default_rng(2)
    best = set(BIG.ids[np.argsort(-BIG.information([0.0])[:, 0])[:4]])
    drawn = [irt.next_item(BIG, 0.0, exposure=irt.Randomesque(4), rng=rng).id for _ in range(200)]
    assert set(drawn) == best
    assert max(drawn.count(item) for item in best) < 80


def test_randomesque_chooses_among_those_that_are_left_each_as_often_and_none_where_none_is() -> None:
    values = np.full((900, 6), -np.inf)
    values[:600, [1, 4]] = [0.2, 0.7]
    chosen, rejected = irt.Randomesque(5).pick(BIG.take(BIG.ids[:6]), values, np.random.default_rng(16))
    assert set(chosen[:600].tolist()) == {1, 4}
    assert np.mean(chosen[:600] == 1) == pytest.approx(0.5, abs=0.06)
    assert (chosen[600:] == -1).all()
    assert not rejected.any()


def test_sympson_hetter_lets_the_best_through_with_its_probability() -> None:
    rng = np.random.default_rng(3)
    ranked = irt.next_item(BIG, 0.0).ranked
    rule = irt.SympsonHetter({ranked[0]: 0.3, ranked[1]: 0.0})
    drawn = [irt.next_item(BIG, 0.0, exposure=rule, rng=rng).id for _ in range(400)]
    assert drawn.count(ranked[0]) / 400 == pytest.approx(0.3, abs=0.07)
    assert set(drawn) == {ranked[0], ranked[2]}


def test_sympson_hetter_rejects_the_open_items_that_it_passed_over_and_no_others() -> None:
    rng = np.random.default_rng(13)
    items = BIG.take(BIG.ids[:8])
    values = np.where(rng.random((500, 8)) < 0.4, -np.inf, rng.random((500, 8)))
    values[0] = -np.inf
    rule = irt.SympsonHetter(dict.fromkeys(items.ids[:6], 0.3) | {items.ids[6]: 0.0})
    chosen, rejected = rule.pick(items, values, rng)
    is_open = np.isfinite(values)
    assert (chosen == -1).tolist() == (~is_open.any(axis=1)).tolist()
    some = np.flatnonzero(chosen >= 0)
    worth = values[some, chosen[some]][:, None]
    better = np.zeros_like(rejected)
    better[some] = is_open[some] & (values[some] > worth)
    passed_over = rejected.any(axis=1)
    np.testing.assert_array_equal(rejected[passed_over], better[passed_over])
    assert not better[~passed_over].any()
    let_through = chosen[passed_over]
    assert (let_through != 6).all()
    assert (let_through == 7).any()


def test_where_no_item_is_let_through_the_best_is_asked_and_none_is_rejected() -> None:
    rule = irt.SympsonHetter(dict.fromkeys(BIG.ids, 0.0))
    values = np.random.default_rng(14).random((50, len(BIG)))
    values[:, 3] = -np.inf
    chosen, rejected = rule.pick(BIG, values, np.random.default_rng(15))
    np.testing.assert_array_equal(chosen, values.argmax(axis=1))
    assert not rejected.any()


def test_calibrated_exposure_keeps_the_largest_rate_under_its_ceiling_for_new_persons() -> None:
    rng = np.random.default_rng(4)
    stop = irt.StopRule(max_items=12)
    free = irt.simulate_adaptive(BIG, rng.normal(size=600), rng, stop=stop)
    found = irt.calibrate_exposure(BIG, rng.normal(size=600), rng, largest=0.3, stop=stop)
    held = irt.simulate_adaptive(BIG, rng.normal(size=600), rng, stop=stop, exposure=found.rule)
    assert free.exposure.max() > 0.6
    assert found.converged
    assert held.exposure.max() < 0.3 + 0.06
    assert (held.n_items == 12).all()


def test_calibration_keeps_as_many_items_open_as_a_test_is_long() -> None:
    rng, few = np.random.default_rng(14), BIG.take(BIG.ids[:14])
    found = irt.calibrate_exposure(few, rng.normal(size=300), rng, largest=0.75, stop=irt.StopRule(10), max_cycles=6)
    k = np.array(list(found.rule.k.values()))
    assert (k == 1.0).sum() >= 10
    assert (k < 1.0).any()


def test_minima_of_a_shorter_length_do_not_end_a_longer_test() -> None:
    limits = irt.ContentLimits(AREA, at_least={"a": 2}, length=4)
    stop = irt.StopRule(max_items=8)
    tests = irt.simulate_adaptive(BIG, np.zeros(20), np.random.default_rng(15), stop=stop, content=limits)
    assert (tests.n_items == 8).all()


def test_content_limits_hold_in_every_test() -> None:
    rng = np.random.default_rng(5)
    limits = irt.ContentLimits(AREA, at_most={"a": 3}, at_least={"b": 5, "c": 4}, length=12)
    tests = irt.simulate_adaptive(BIG, rng.normal(size=200), rng, stop=irt.StopRule(max_items=12), content=limits)
    area = np.array([AREA[item] for item in BIG.ids])[tests.item]
    assert ((area == "a").sum(axis=1) <= 3).all()
    assert ((area == "b").sum(axis=1) >= 5).all()
    assert ((area == "c").sum(axis=1) >= 4).all()


def test_tests_stop_at_the_standard_error_or_at_their_greatest_length() -> None:
    rng = np.random.default_rng(6)
    stop = irt.StopRule(max_items=30, min_items=4, se=0.35)
    tests = irt.simulate_adaptive(BIG, rng.normal(size=300), rng, stop=stop)
    early = tests.n_items < 30
    assert (tests.n_items >= 4).all()
    assert (tests.final_se[early] <= 0.35).all()
    assert early.mean() > 0.5
    just_before = tests.se[np.arange(300), tests.n_items - 2][tests.n_items > 4]
    assert (just_before > 0.35).all()


def test_no_item_is_asked_twice_and_the_path_is_the_eap_of_the_answers() -> None:
    rng = np.random.default_rng(7)
    tests = irt.simulate_adaptive(BIG, rng.normal(size=50), rng, stop=irt.StopRule(max_items=15))
    assert all(len(set(row)) == 15 for row in tests.item)
    scores = irt.score(tests.responses(), BIG)
    np.testing.assert_allclose(scores.theta, tests.final_theta, atol=1e-5)
    np.testing.assert_allclose(scores.se, tests.final_se, atol=1e-5)


@pytest.mark.parametrize("model", ["3PL", "GRM"])
def test_adaptive_tests_measure_better_than_random_ones_of_the_same_length(model: str) -> None:
    rng, items = np.random.default_rng(8), bank(model, n=60)
    theta = rng.normal(size=400)
    adaptive = irt.simulate_adaptive(items, theta, rng, stop=irt.StopRule(max_items=10), method="posterior-weighted")
    at_random = irt.score(irt.simulate(items, theta, rng, n_answers=10), items)
    assert np.mean((adaptive.final_theta - theta) ** 2) < 0.85 * np.mean((at_random.theta - theta) ** 2)


def test_the_same_seed_gives_the_same_tests() -> None:
    first, second = (
        irt.simulate_adaptive(BIG, np.zeros(20), np.random.default_rng(9), exposure=irt.Randomesque(3)) for _ in "ab"
    )
    np.testing.assert_array_equal(first.item, second.item)


def test_arguments_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="give theta or posterior"):
        irt.next_item(BIG)
    with pytest.raises(InputError, match="needs the posterior"):
        irt.next_item(BIG, 0.0, method="posterior-weighted")
    with pytest.raises(InputError, match="unknown selection method 'best'"):
        irt.next_item(BIG, 0.0, method="best")
    with pytest.raises(InputError, match="exposure control draws"):
        irt.next_item(BIG, 0.0, exposure=irt.Randomesque())
    with pytest.raises(ItemsError, match="ghost"):
        irt.next_item(BIG, 0.0, administered=["ghost"])
    with pytest.raises(InputError, match="at_least needs the length"):
        irt.ContentLimits(AREA, at_least={"a": 1})
    with pytest.raises(InputError, match="minima add up to 5, the test has 4"):
        irt.ContentLimits(AREA, at_least={"a": 5}, length=4)
    with pytest.raises(InputError, match="items have no content area, first"):
        irt.next_item(BIG, 0.0, content=irt.ContentLimits({"q0": "a"}))
    with pytest.raises(InputError, match="1 ≤ min_items ≤ max_items"):
        irt.StopRule(max_items=3, min_items=4)
    with pytest.raises(InputError, match=r"mean exposure of 0\.25"):
        irt.calibrate_exposure(BIG, [0.0], np.random.default_rng(0), largest=0.2)


@pytest.mark.parametrize("posterior", [(np.nan, 1.0), (0.0, np.nan), ([0.0, np.nan], [1.0, 1.0]), (0.0, 1.0, 2.0)])
def test_a_posterior_that_is_none_is_refused_instead_of_ending_the_test(posterior) -> None:
    with pytest.raises(InputError, match=r"a posterior is \(mean, sd > 0\)"):
        irt.next_item(irt.Items(ids=[1, 2], a=[1.0, 1.2], b=[0.0, 0.5]), posterior=posterior)


@pytest.mark.parametrize(
    ("theta", "prior", "message"),
    [
        ([], (0.0, 1.0), "theta holds no abilities"),
        ([np.inf], (0.0, 1.0), "at position 0 it is inf"),
        ([0.0], (0.0, 0.0), "standard deviations above 0, not 0.0"),
        ([0.0], (np.nan, 1.0), "finite means, not nan"),
        ([0.0], ([0.0], 1.0), "one prior for all"),
    ],
)
def test_adaptive_tests_of_nobody_or_under_no_prior_are_refused(theta, prior, message) -> None:
    bank = irt.Items(ids=[1, 2], a=[1.0, 1.2], b=[0.0, 0.5])
    with pytest.raises(InputError, match=message):
        irt.simulate_adaptive(bank, theta, np.random.default_rng(1), prior=prior)
