"""No silent wrong number: categories as people code them, and categories that nobody chose."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from banks import bank

from thetaline import irt
from thetaline.errors import InputError, ItemsError, ModelWarning, ResponsesError

BANK = irt.Items(
    ids=["m1", "m2", "m3"],
    model="GRM",
    a=[1.5, 1.2, 1.8],
    b=[[-1.4, -0.75, 0, 0.75], [-1.2, -0.5, 0.3, 1], [-1, -0.3, 0.4, 1.2]],
)
FROM_ONE = np.array([[4, 4, 3], [1, 1, 1], [2, 3, 1]])
RIGHT = [0.214, -1.633, -0.821]
TOLD = "nobody gave the lowest category"


def test_declared_codes_are_scored_as_their_categories() -> None:
    matrix = irt.Responses.from_matrix(FROM_ONE, items=BANK.ids, categories=(1, 5))
    assert irt.score(matrix, BANK).theta == pytest.approx(RIGHT, abs=1e-3)
    rows, columns = np.indices(FROM_ONE.shape).reshape(2, -1)
    long = irt.Responses.from_long(rows, BANK.ids[columns], FROM_ONE.ravel(), categories=(1, 5))
    frame = pd.DataFrame({"user_id": rows, "item_id": BANK.ids[columns], "is_correct": FROM_ONE.ravel()})
    for responses in (long, irt.Responses.from_frame(frame, categories={"m1": (1, 5), "m3": (1, 5), "m2": (1, 5)})):
        assert irt.score(responses, BANK).theta == pytest.approx(RIGHT, abs=1e-3)
    assert long.to_frame().answer.tolist() == FROM_ONE.ravel().tolist()
    symmetric = irt.Responses.from_matrix(FROM_ONE - 3, items=BANK.ids, categories=(-2, 2))
    assert irt.score(symmetric, BANK).theta == pytest.approx(RIGHT, abs=1e-3)


@pytest.mark.parametrize("call", ["EAP", "MAP", "MLE", "WLE", "plausible_values"])
def test_a_batch_in_which_nobody_gave_the_lowest_category_is_told(call: str) -> None:
    responses = irt.Responses.from_matrix(FROM_ONE, items=BANK.ids)
    drawn = partial(irt.plausible_values, rng=1)
    estimate = drawn if call == "plausible_values" else partial(irt.score, method=call)
    with pytest.warns(ModelWarning, match=f"{TOLD}, 0, of any of the 3 items"):
        estimate(responses, BANK)


def test_one_lowest_category_or_a_declaration_is_enough_not_to_be_told() -> None:
    zero_based = FROM_ONE - 1
    assert irt.score(irt.Responses.from_matrix(zero_based, items=BANK.ids), BANK).theta == pytest.approx(
        RIGHT, abs=1e-3
    )
    without_lowest = irt.Responses.from_matrix(FROM_ONE, items=BANK.ids, categories=(0, 4))
    assert irt.score(without_lowest, BANK).theta[0] == pytest.approx(0.996, abs=1e-3)
    irt.score(irt.simulate(BANK, np.full(4, 9.0), 1), BANK)  # answers of a model are categories


def likert(seed: int = 1, n: int = 600, model: str = "GRM") -> tuple[irt.Items, np.ndarray]:
    items = bank(model, n=6)
    rng = np.random.default_rng(seed)
    return items, irt.simulate(items, rng.normal(size=n), rng).answer.reshape(n, -1).astype(int)


@pytest.mark.parametrize("model", ["GRM", "PCM", "GPCM"])
def test_a_scale_from_one_is_understood_and_remembered_by_its_items(model: str) -> None:
    items, x = likert(model=model)
    fits = [
        irt.calibrate(irt.Responses.from_matrix(codes, items=items.ids, categories=declared), model)
        for codes, declared in ((x, None), (x + 1, None), (x + 1, (1, 4)))
    ]
    assert [fit.items.lowest.tolist() for fit in fits] == [[0] * 6, [1] * 6, [1] * 6]
    for fit in fits[1:]:
        np.testing.assert_allclose(fit.items.b, fits[0].items.b)
    zero, one = irt.Responses.from_matrix(x, items=items.ids), irt.Responses.from_matrix(x + 1, items=items.ids)
    kept = irt.Items.from_frame(fits[1].items.to_frame())
    for known in (fits[1].items, fits[1].items.take(items.ids[::-1]), fits[1].items.rescaled(1.0, 0.0), kept):
        np.testing.assert_allclose(irt.score(one, known).theta, irt.score(zero, fits[0].items).theta)
    for statistic in (
        lambda fit, r: irt.item_fit(fit, r).infit,
        lambda fit, r: irt.person_fit(fit, r).lz_star,
        lambda fit, r: irt.local_dependence(fit, r).q3,
        lambda fit, r: irt.model_fit(fit, r).m2,
    ):
        np.testing.assert_allclose(statistic(fits[1], one), statistic(fits[0], zero))
    with pytest.raises(ResponsesError, match="was calibrated with codes from 1, but an answer is 0"):
        irt.score(zero, fits[1].items)
    again = irt.simulate(fits[1].items, np.zeros(5), 3)
    assert again.to_frame().answer.min() >= 1
    assert irt.score(again, fits[1].items).theta == pytest.approx(irt.score(again, fits[0].items).theta)


def test_a_later_batch_of_a_scale_from_one_without_its_lowest_answer_is_told() -> None:
    items, x = likert()
    fit = irt.calibrate(irt.Responses.from_matrix(x + 1, items=items.ids), "GRM")
    with pytest.warns(ModelWarning, match=f"{TOLD}, 1, of any of the 6 items"):
        irt.score(irt.Responses.from_matrix(np.full((1, 6), 3), items=items.ids), fit.items)


def test_anchors_keep_their_codes_and_a_batch_without_their_lowest_is_told() -> None:
    items, x = likert()
    from_one = irt.Items(ids=items.ids, model="GRM", a=items.a, b=items.b, lowest=1)
    fits = [
        irt.calibrate(irt.Responses.from_matrix(codes, items=items.ids), "GRM", anchors=anchors.take(items.ids[:3]))
        for codes, anchors in ((x, items), (x + 1, from_one))
    ]
    np.testing.assert_allclose(fits[1].items.b, fits[0].items.b)
    high = np.where(x == 0, 1, x)
    high[:, 3:] = x[:, 3:]
    with pytest.warns(ModelWarning, match=f"{TOLD}, 0, of any of the 3 items"):
        irt.calibrate(irt.Responses.from_matrix(high, items=items.ids), "GRM", anchors=items.take(items.ids[:3]))


def test_items_of_two_and_of_more_categories_are_understood_apart() -> None:
    items, x = likert()
    right = (x[:, :2] > 1).astype(int)
    model = dict.fromkeys(items.ids, "GRM") | dict.fromkeys(items.ids[:2], "2PL")
    both = irt.Responses.from_matrix(np.column_stack([right, x[:, 2:] + 1]), items=items.ids)
    assert irt.calibrate(both, model).items.lowest.tolist() == [0, 0, 1, 1, 1, 1]
    ranges = {name: (0, 1) if k < 2 else (1, 4) for k, name in enumerate(items.ids)}
    said = irt.Responses.from_matrix(np.column_stack([right, x[:, 2:] + 1]), items=items.ids, categories=ranges)
    assert irt.calibrate(said, model).items.lowest.tolist() == [0, 0, 1, 1, 1, 1]
    one_two = irt.Responses.from_matrix(right + 1, items=items.ids[:2], categories=(1, 2))
    assert one_two.answer.max() == 1


def test_a_scale_whose_beginning_nobody_can_see_is_refused() -> None:
    items, x = likert()
    with pytest.raises(ResponsesError, match="is 2: the scale may begin at 0, 1 or 2; categories="):
        irt.calibrate(irt.Responses.from_matrix(x + 2, items=items.ids), "GRM")


@pytest.mark.parametrize(
    ("categories", "error", "message"),
    [
        ((1, 4), ResponsesError, r"item 'm2' is declared to have the categories 1 … 4, but answer 1 is 5"),
        ((0, 4), ResponsesError, "categories 0 … 4, but answer 1 is 5"),
        ({"m1": (1, 5), "m2": (1, 5)}, InputError, r"categories has no value for 1 of 3 items, first \['m3'\]"),
        ((5, 1), InputError, "categories are whole numbers"),
        ((1, 2.5), InputError, "categories are whole numbers"),
        (5, InputError, "categories are whole numbers"),
        ((0, 400), InputError, "at most 254 apart"),
    ],
)
def test_declarations_that_do_not_hold_are_refused(categories: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        irt.Responses.from_matrix([[4, 5, 3]], items=BANK.ids, categories=categories)


def test_declarations_that_differ_from_the_bank_or_from_each_other_are_refused() -> None:
    seven = irt.Responses.from_matrix(FROM_ONE, items=BANK.ids, persons=list("uvw"), categories=(1, 7))
    five = irt.Responses.from_matrix(FROM_ONE, items=BANK.ids, categories=(1, 5))
    with pytest.raises(ItemsError, match="declared to have 7 categories, 1 … 7, and has 5 in the bank"):
        irt.score(seven, BANK)
    with pytest.raises(ResponsesError, match="declared differently"):
        seven.joined(five)
    with pytest.raises(ResponsesError, match="one of the two has declared categories"):
        five.joined(irt.Responses.from_matrix(FROM_ONE, items=BANK.ids, persons=list("uvw")))
    other = irt.Responses.from_matrix([[2]], items=["m4"], categories=(0, 2))
    joined = five.joined(other.items(["m4"]).where(np.array([False])))
    assert joined.ranges is not None
    assert joined.items(["m4", "m1"]).ranges.tolist() == [[0, 2], [1, 5]]
    with pytest.raises(ResponsesError, match="or are declared to"):
        irt.calibrate(irt.Responses.from_matrix(np.eye(3) + 1, items=BANK.ids, categories=(1, 5)), "2PL")


NULL = np.array(
    [
        [0, 0, 1],
        [0, 0, 0],
        [0, 1, 1],
        [2, 2, 1],
        [0, 1, 2],
        [0, 2, 2],
        [2, 1, 1],
        [2, 2, 0],
        [0, 2, 1],
        [2, 2, 2],
        [2, 1, 0],
    ]
    * 5
)


@pytest.mark.parametrize("model", ["PCM", "GPCM"])
def test_a_middle_category_that_nobody_chose_is_kept_under_a_prior(model: str) -> None:
    responses = irt.Responses.from_matrix(NULL, items=["X1", "X2", "X3"])
    fit = irt.calibrate(responses, model, priors=irt.Priors(a=irt.LogNormal(0, 0.5), b=irt.Normal(0, 2)))
    assert fit.converged
    assert fit.items.n_categories.tolist() == [3, 3, 3]
    assert fit.ids_with(irt.Finding.UNUSED_CATEGORY) == ["X1"]
    assert fit.items.b[0, 0] > 2.0 > -2.0 > fit.items.b[0, 1]  # the middle is nobody's likeliest category
    by_raw_score = irt.sum_score_eap(fit.items, prior=fit.population).theta
    assert (np.diff(by_raw_score) > 0.1).all()
    one, two = irt.score(
        irt.Responses.from_matrix([[0, 0, 1], [2, 0, 0]], items=["X1", "X2", "X3"]), fit.items, prior=fit.population
    ).theta
    assert two - one > 0.1


def test_a_category_that_nobody_chose_is_refused_where_nothing_holds_it() -> None:
    responses = irt.Responses.from_matrix(NULL, items=["X1", "X2", "X3"])
    for model, priors in (("PCM", None), ("GPCM", irt.Priors(a=irt.LogNormal())), ("GRM", irt.Priors(b=irt.Normal()))):
        with pytest.raises(ResponsesError, match=r"items \['X1'\] have a category that nobody gave"):
            irt.calibrate(responses, model, priors=priors)


@pytest.mark.parametrize("model", ["PCM", "GRM"])
def test_declared_ends_that_nobody_gave_are_kept_under_a_prior(model: str) -> None:
    items, x = likert(model=model)
    x[:, 0] = np.clip(x[:, 0], 1, 2)
    responses = irt.Responses.from_matrix(x + 1, items=items.ids, categories=(1, 4))
    fit = irt.calibrate(responses, model, priors=irt.Priors(a=irt.LogNormal(0, 0.5), b=irt.Normal(0, 2)))
    assert (fit.items.n_categories == 4).all()
    assert np.isfinite(fit.items.b).all()
    assert np.abs(fit.items.b[0]).max() > 2.0
