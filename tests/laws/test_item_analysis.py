"""Classical item analysis: laws, and items that must be named."""

import numpy as np
import pandas as pd
import pytest

from thetaline import irt
from thetaline.errors import InputError


def simulated(a, b, n=600, seed=3, mean=0.0):
    rng = np.random.default_rng(seed)
    bank = irt.Items(ids=[f"Item.{k + 1}" for k in range(len(b))], model="2PL", a=a, b=b)
    return irt.simulate(bank, rng.normal(mean, 1.0, n), rng)


WEAK = simulated([*np.linspace(0.6, 1.8, 31), 0.13], [*np.linspace(-2, 2, 31), 12.7])


def matrix(responses):
    out = np.full((responses.n_persons, responses.n_items), np.nan)
    out[responses.person, responses.item] = responses.answer
    return out


def test_the_statistics_of_complete_answers_are_those_of_their_definitions():
    x, analysis = matrix(WEAK), irt.item_analysis(WEAK)
    total = x.sum(axis=1)
    for k in (0, 11, 31):
        assert analysis.difficulty[k] == pytest.approx(x[:, k].mean())
        assert analysis.sd[k] == pytest.approx(x[:, k].std(ddof=1))
        assert analysis.item_rest[k] == pytest.approx(np.corrcoef(x[:, k], total - x[:, k])[0, 1])
        others = np.delete(x, k, axis=1)
        alpha = 31 / 30 * (1 - others.var(axis=0, ddof=1).sum() / others.sum(axis=1).var(ddof=1))
        assert analysis.alpha_without[k] == pytest.approx(alpha)
    assert analysis.alpha.estimate == pytest.approx(32 / 31 * (1 - x.var(axis=0, ddof=1).sum() / total.var(ddof=1)))
    assert analysis.alpha.low < analysis.alpha.estimate < analysis.alpha.high


def test_patterns_with_frequencies_count_as_the_persons_that_they_stand_for():
    x = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 0], [1, 1, 1], [0, 0, 0]])
    counts = np.array([3, 5, 4, 6, 7])
    patterns = irt.item_analysis(irt.Responses.from_matrix(x, counts=counts))
    persons = irt.item_analysis(irt.Responses.from_matrix(np.repeat(x, counts, axis=0)))
    for name in ("n_answers", "difficulty", "sd", "item_rest", "item_rest_low", "alpha_without"):
        np.testing.assert_allclose(getattr(patterns, name), getattr(persons, name), err_msg=name)
    assert patterns.alpha.low == pytest.approx(persons.alpha.low)
    np.testing.assert_allclose(patterns.options.rest_correlation, persons.options.rest_correlation)


def test_alpha_of_blocks_that_only_partly_overlap_is_near_that_of_all_answers():
    responses = simulated(np.full(20, 1.2), np.linspace(-1.5, 1.5, 20), n=6000)
    first = responses.person < 3000
    sparse = responses.where(answers=(responses.item < 14) & first | (responses.item >= 6) & ~first)
    full, cut = irt.item_analysis(responses), irt.item_analysis(sparse)
    assert np.isnan(cut.alpha.estimate)  # items 0 and 19 never meet: their covariance is not known
    middle = [f"Item.{k}" for k in range(7, 15)]
    assert irt.item_analysis(sparse.items(middle)).alpha.estimate == pytest.approx(
        irt.item_analysis(responses.items(middle)).alpha.estimate, abs=1e-12
    )
    np.testing.assert_allclose(cut.item_rest, full.item_rest, atol=0.08)  # of 13 other items in place of 19


def test_omega_of_a_covariance_of_one_factor_is_that_of_its_loadings():
    from thetaline.irt.classical.reliability import omega_interval

    loading, unique = np.array([0.9, 0.4, 0.7, 0.2, 0.55]), np.array([0.5, 0.3, 1.2, 0.4, 0.2])
    covariance = np.outer(loading, loading) + np.diag(unique)
    omega = omega_interval(covariance, 400, 0.95)
    truth = loading.sum() ** 2 / (loading.sum() ** 2 + unique.sum())
    assert omega.estimate == pytest.approx(truth, abs=1e-5)
    assert omega.low < truth < omega.high


def test_intervals_of_alpha_and_omega_hold_the_truth_as_often_as_they_say():
    from thetaline.irt.classical.reliability import alpha_interval, omega_interval

    rng, n, k = np.random.default_rng(8), 150, 6
    tau, congeneric = np.full(k, 0.7), np.linspace(0.3, 1.0, k)
    hits = np.zeros(2)
    for _ in range(120):
        factor, noise = rng.normal(size=(n, 1)), rng.normal(size=(n, k))
        for place, (loading, interval) in enumerate(((tau, alpha_interval), (congeneric, omega_interval))):
            found = interval(np.cov((factor * loading + noise).T), n, 0.95)
            truth = loading.sum() ** 2 / (loading.sum() ** 2 + k)
            hits[place] += found.low <= truth <= found.high
    assert (hits >= 120 * 0.89).all(), hits
    assert (hits < 120).all(), hits


def test_an_item_that_hardly_discriminates_is_named_with_its_parameters():
    bank = irt.Items(ids=WEAK.item_ids, model="2PL", a=[1.0] * 31 + [0.13], b=[0.0] * 31 + [12.7])
    flags = irt.item_analysis(WEAK, fit=bank).flagged()
    assert list(flags) == ["Item.32"]
    assert "hardly discriminates: a = 0.13" in flags["Item.32"]
    assert "b = 12.7 lies far from everybody" in flags["Item.32"]
    assert any("item–rest correlation" in reason for reason in flags["Item.32"])


def test_a_wrong_key_is_named_by_the_option_that_attracts_the_able():
    rng = np.random.default_rng(4)
    theta = rng.normal(size=800)
    right = rng.random((800, 10)) < 1 / (1 + np.exp(-1.3 * (theta[:, None] - np.linspace(-1, 1, 10))))
    options = np.where(right, "C", rng.choice(["A", "B", "D"], size=right.shape))
    frame = pd.DataFrame(options, columns=[f"q{k}" for k in range(10)])
    analysis = irt.item_analysis(frame, key={f"q{k}": "A" if k == 7 else "C" for k in range(10)})
    (reasons,) = [reasons for item, reasons in analysis.flagged().items() if item == "q7"]
    assert any("option 'c' attracts abler persons than the key" in reason for reason in reasons)
    assert any("runs backwards" in reason for reason in reasons)
    assert list(analysis.flagged()) == ["q7"]


def test_an_item_runs_backwards_only_beyond_chance():
    rng = np.random.default_rng(5)
    noise = irt.Responses.from_matrix((rng.random((60, 30)) < 0.5).astype(float))
    analysis = irt.item_analysis(noise)
    below = [item for item, r in zip(analysis.ids.tolist(), analysis.item_rest, strict=True) if r < -0.02]
    assert len(below) > 5
    told = [item for item, reasons in analysis.flagged().items() if any("backwards" in one for one in reasons)]
    assert len(told) <= 3


def test_the_table_of_options_tells_shares_rest_scores_and_abilities():
    frame = pd.DataFrame(
        {"q1": ["A", "A", "B", None], "q2": ["x", "y", "x", "x"], "q3": [1, 1, 2, 2.0]}, index=list("stuv")
    )
    analysis = irt.item_analysis(
        frame, key={"q1": "A", "q2": "x", "q3": 1}, theta={"v": 4.0, "u": 3.0, "t": 2.0, "s": 1.0}
    )
    table = analysis.options.to_frame()
    first = table[table.item_id == "q1"].set_index("option")
    assert first.n.to_dict() == {"a": 2, "b": 1}
    assert first.share.to_dict() == pytest.approx({"a": 2 / 3, "b": 1 / 3})
    assert first.mean_rest.to_dict() == pytest.approx({"a": 0.75, "b": 0.5})
    assert first.mean_theta.to_dict() == {"a": 1.5, "b": 3.0}
    assert first.score.to_dict() == {"a": 1, "b": 0}


def test_a_category_with_less_able_persons_than_the_one_below_is_named():
    rng = np.random.default_rng(5)
    theta = rng.normal(size=900)
    x = np.clip(np.round(theta[:, None] + rng.normal(0, 0.8, (900, 6)) + 1.0), 0, 2).astype(int)
    x[:, 2] = np.array([0, 2, 1])[x[:, 2]]
    flags = irt.item_analysis(irt.Responses.from_matrix(x, items=list("abcdef"))).flagged()
    assert any("category 2 has less able persons than category 1" in reason for reason in flags["c"])
    assert list(flags) == ["c"]


def test_a_key_may_be_a_mapping_a_series_a_list_or_a_text():
    frame = pd.DataFrame({"q1": ["A", "b ", ""], "q2": ["C", None, "D"]}, index=["x", "y", "z"])
    expected = {("x", "q1"): 1, ("y", "q1"): 0, ("x", "q2"): 1, ("z", "q2"): 0}
    for key in ({"q2": "C", "q1": "a"}, pd.Series({"q2": "c", "q1": "A"}), ["A", "C"], "AC"):
        scored = irt.score_key(frame, key)
        ids = zip(scored.person_ids[scored.person], scored.item_ids[scored.item], strict=True)
        assert dict(zip(ids, scored.answer.tolist(), strict=True)) == expected


def test_a_key_may_have_several_right_options_and_partial_credit():
    scored = irt.score_key([["A", 3], ["B", 2.0], ["E", "1"]], [["A", "B"], {3: 2, 2: 1}])
    assert matrix(scored).tolist() == [[1, 2], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ({"q1": "A"}, r"the key has no entry for 1 of 2 items, first \['q2'\]"),
        ({"q1": "A", "q2": "B", "q3": "C"}, r"the key names 1 items that the table does not have, first \['q3'\]"),
        ("ABC", "the key has 3 entries for 2 items"),
        ({"q1": {"A": 0.5}, "q2": "B"}, "item 'q1' gives option 'A' the credit 0.5; a credit is a whole number"),
        ({"q1": None, "q2": "B"}, "the key of item 'q1' is missing"),
    ],
)
def test_a_key_that_does_not_fit_is_refused(key, says):
    with pytest.raises(InputError, match=says):
        irt.score_key(pd.DataFrame({"q1": ["A"], "q2": ["B"]}), key)


def test_scores_give_the_abilities_by_person():
    fit = irt.calibrate(WEAK, "2PL", priors=irt.Priors(a=irt.LogNormal(0, 0.5)))
    scores = irt.score(WEAK, fit.items)
    analysis = irt.item_analysis(WEAK, theta=scores, fit=fit)
    x, k = matrix(WEAK), 10
    rows = analysis.options.item == k
    assert analysis.options.mean_theta[rows].tolist() == pytest.approx(
        [scores.theta[x[:, k] == category].mean() for category in (0, 1)]
    )
    np.testing.assert_allclose(analysis.a, fit.items.a)
    with pytest.raises(InputError, match="theta has no value for 599 of 600 persons"):
        irt.item_analysis(WEAK, theta={0: 1.0})
