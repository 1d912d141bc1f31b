"""The item bank: what it refuses, and its change of scale."""

import numpy as np
import pytest

from thetaline import irt
from thetaline.errors import InputError, ItemsError

MIXED = {
    "ids": ["x", "y", "z"],
    "model": {"x": "2PL", "y": "GRM", "z": "3PL"},
    "a": [1.2, 0.8, 1.5],
    "b": [[0.3, np.nan], [-1.0, 1.0], [0.5, np.nan]],
    "c": [np.nan, np.nan, 0.2],
}


def test_a_mixed_bank_has_one_table_row_a_category():
    items = irt.Items(**MIXED)
    assert items.n_categories.tolist() == [2, 3, 2]
    assert items.offsets.tolist() == [0, 2, 5, 7]
    table = np.exp(items.log_prob([-1.0, 0.0, 2.0]))
    np.testing.assert_allclose(np.add.reduceat(table, items.offsets[:-1], axis=0), 1.0)
    right = 0.2 + 0.8 / (1 + np.exp(-1.5 * (2.0 - 0.5)))
    assert table[6, 2] == pytest.approx(right)


def test_expected_score_and_information_are_those_of_the_formulas():
    items = irt.Items(ids=[1], a=[1.3], b=[0.4])
    p = 1 / (1 + np.exp(-1.3 * (1.0 - 0.4)))
    assert items.expected_score(1.0)[0, 0] == pytest.approx(p)
    assert items.information(1.0)[0, 0] == pytest.approx(1.3**2 * p * (1 - p))


def test_rescaled_items_have_the_same_curves_at_the_rescaled_theta():
    items, A, B = irt.Items(**MIXED), 1.7, -0.4
    theta = np.linspace(-3, 3, 9)
    np.testing.assert_allclose(items.rescaled(A, B).log_prob(A * theta + B), items.log_prob(theta), atol=1e-12)


@pytest.mark.parametrize("A", [0.0, -1.0, np.nan])
def test_a_scale_must_not_turn_round(A):
    with pytest.raises(InputError, match="finite A > 0"):
        irt.Items(**MIXED).rescaled(A, 0.0)


def test_items_are_taken_by_id_in_the_order_asked_for():
    assert irt.Items(**MIXED).take(["z", "x"]).ids.tolist() == ["z", "x"]
    with pytest.raises(ItemsError, match=r"1 ids are not in the bank, first \['q'\]"):
        irt.Items(**MIXED).take(["x", "q"])


def test_a_frame_has_one_row_an_item():
    frame = irt.Items(**MIXED).to_frame()
    assert list(frame.columns) == ["item_id", "model", "a", "b1", "b2", "c", "d"]
    assert frame["b2"].isna().tolist() == [True, False, True]


def test_arrays_of_a_bank_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        irt.Items(**MIXED).a[0] = 2.0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"ids": [1, 1], "a": 1.0, "b": [0, 0]}, r"repeated: \[1\]"),
        ({"ids": [1, 2], "model": "5PL", "a": 1.0, "b": [0, 0]}, "unknown model '5PL'"),
        ({"ids": [1, 2], "model": {1: "2PL"}, "a": 1.0, "b": [0, 0]}, r"no model is given for items \[2\]"),
        ({"ids": [1, 2], "a": 1.0, "b": [0, np.inf]}, r"b must be finite: items \[2\]"),
        ({"ids": [1, 2], "a": [1.0, np.nan], "b": [0, 0]}, r"a must be finite: items \[2\]"),
        ({"ids": [1, 2], "b": [0, 0]}, "2PL items need a"),
        ({"ids": [1, 2], "a": [1.0, 1.0, 1.0], "b": [0, 0]}, r"a has shape \(3,\) for 2 items"),
        ({"ids": [1, 2], "a": 1.0, "b": [0, 0], "c": [0.2, np.nan]}, r"the model has no c: items \[1\]"),
        ({"ids": [1], "model": "3PL", "a": 1.0, "b": [0], "c": [1.2]}, "c must lie within 0 and 1"),
        ({"ids": [1], "model": "4PL", "a": 1.0, "b": [0], "c": [0.6], "d": [0.5]}, "c must be below d"),
        ({"ids": [7], "model": "GRM", "a": 1.0, "b": [[1.0, 0.0]]}, r"thresholds of items \[7\] are out of order"),
        ({"ids": [1], "a": 1.0, "b": [[0.0, 1.0]]}, "a dichotomous model has one b"),
        ({"ids": [1], "a": "steep", "b": [0.0]}, "a must be numbers"),
    ],
)
def test_what_is_no_item_is_refused_by_name(wrong, message):
    with pytest.raises(ItemsError, match=message):
        irt.Items(**wrong)


def test_an_asymptote_at_its_neutral_value_is_taken_for_none():
    items = irt.Items(ids=[1], a=[1.0], b=[0.0], c=[0.0], d=[1.0])
    assert np.isnan(items.c[0])
    assert np.isnan(items.d[0])


def test_items_cannot_be_written_to_wherever_they_come_from():
    items = irt.Items(**MIXED)
    for bank in (items, items.take(["z", "x"]), items.rescaled(2.0, 0.5)):
        for letter in ("ids", "model", "a", "b", "c", "d"):
            with pytest.raises(ValueError, match="read-only"):
                getattr(bank, letter)[0] = getattr(bank, letter)[1]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["x", None], "every item needs an id; missing at position 1"),
        ([np.nan, "x"], "missing at position 0"),
        ([["x"], ["y"]], "item ids must be hashable scalars"),
    ],
)
def test_what_is_no_id_is_refused(ids, message):
    with pytest.raises(ItemsError, match=message):
        irt.Items(ids=ids, a=[1.0, 1.0], b=[0.0, 0.0])


@pytest.mark.parametrize("model", [None, 3])
def test_what_is_no_model_is_refused_with_those_that_are(model):
    with pytest.raises(ItemsError, match=f"unknown model {model}; choose one of Rasch, 1PL"):
        irt.Items(ids=["x"], a=[1.0], b=[0.0], model=model)


def test_ids_of_another_type_are_shown_beside_those_of_the_bank():
    with pytest.raises(ItemsError, match=r"2 ids are not in the bank, first \[0, 1\]; the bank has \['0', '1'\]"):
        irt.Items(ids=["0", "1"], a=[1.0, 1.0], b=[0.0, 0.0]).take([0, 1])
