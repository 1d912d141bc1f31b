"""Responses cut to some persons, items or answers, and two of them joined."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from thetaline import irt
from thetaline.errors import ResponsesError

RNG = np.random.default_rng(5)
X = np.where(RNG.random((6, 4)) < 0.2, np.nan, RNG.integers(0, 3, (6, 4)).astype(float))
PERSONS, ITEMS = [f"p{n}" for n in range(6)], ["d", "a", "c", "b"]
ALL = irt.Responses.from_matrix(X, persons=PERSONS, items=ITEMS)


def matrix(responses):
    """(N, I) with NaN where there is no answer."""
    out = np.full((responses.n_persons, responses.n_items), np.nan)
    out[responses.person, responses.item] = responses.answer
    return out


def test_persons_are_cut_in_the_order_asked_for_and_all_items_stay():
    cut = ALL.persons(["p4", "p1"])
    assert cut.person_ids.tolist() == ["p4", "p1"]
    assert cut.item_ids.tolist() == ITEMS
    np.testing.assert_array_equal(matrix(cut), X[[4, 1]])


def test_items_are_cut_in_the_order_asked_for_and_all_persons_stay():
    cut = ALL.items(np.array(["a", "b", "d"]))
    assert (cut.item_ids.tolist(), cut.person_ids.tolist()) == (["a", "b", "d"], PERSONS)
    np.testing.assert_array_equal(matrix(cut), X[:, [1, 3, 0]])


def test_the_frequencies_of_patterns_go_with_their_rows():
    patterns = irt.Responses.from_matrix([[0, 1], [1, 1], [1, 0]], counts=[3, 5, 7])
    assert patterns.persons([2, 0]).counts.tolist() == [7, 3]
    assert patterns.where([False, True, True]).counts.tolist() == [5, 7]


@pytest.mark.parametrize("kind", [dict, pd.Series, lambda labels: pd.Series(labels).astype("boolean")])
def test_what_is_true_of_a_person_goes_by_id(kind):
    labels = kind({name: name in ("p0", "p5") for name in reversed(PERSONS)})
    np.testing.assert_array_equal(matrix(ALL.where(labels)), X[[0, 5]])


@pytest.mark.parametrize("kind", [list, np.array, pl.Series])
def test_an_array_of_truths_goes_by_position(kind):
    cut = ALL.where(kind([True] + [False] * 5), items=kind([False, True, True, False]))
    np.testing.assert_array_equal(matrix(cut), X[:1, 1:3])


def test_answers_are_cut_and_all_persons_and_items_stay():
    cut = ALL.where(answers=ALL.answer < 2)
    np.testing.assert_array_equal(matrix(cut), np.where(X < 2, X, np.nan))
    assert (cut.n_persons, cut.n_items) == (6, 4)


def test_parts_joined_are_the_whole():
    parts = ALL.persons(PERSONS[:2]).joined(ALL.persons(PERSONS[2:]))
    np.testing.assert_array_equal(matrix(parts), X)
    by_items = ALL.items(["a", "b"]).joined(ALL.items(["c", "d"]))
    np.testing.assert_array_equal(matrix(by_items.items(ITEMS)), X)


def test_joined_responses_keep_the_frequencies_of_both():
    first = irt.Responses.from_matrix([[0, 1], [1, 1]], persons=["x", "y"], counts=[3, 5])
    second = irt.Responses.from_matrix([[1, 0], [0, 0]], persons=["z", "x"], items=[2, 3], counts=[2, 3])
    both = first.joined(second)
    assert (both.person_ids.tolist(), both.counts.tolist()) == (["x", "y", "z"], [3, 5, 2])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ALL.persons(["p1", "nobody"]), r"1 ids of persons are not there, first \['nobody'\]"),
        (lambda: ALL.items(["a", "b", "a"]), r"ids of items must be unique; repeated: \['a'\]"),
        (lambda: ALL.items("ab"), r"ids of items are a list; write \['ab'\]"),
        (lambda: ALL.where({"p1": True}), r"persons has no value for 5 of 6 persons, first \['p0'"),
        (lambda: ALL.where(pd.Series([True] * 6)), "persons has no value for 6 of 6 persons"),
        (lambda: ALL.where([True] * 5), r"one true or false for each of 6, not shape \(5,\)"),
        (lambda: ALL.where(PERSONS), "takes true or false, not <U2"),
        (lambda: ALL.where(answers=[True]), "answers needs one true or false for each of"),
        (lambda: ALL.joined(ALL.persons(["p1"])), r"repeat a \(user, item\) pair, 0 of them contradict"),
    ],
)
def test_what_cannot_be_cut_or_joined_is_refused(call, says):
    with pytest.raises(ResponsesError, match=says):
        call()


def test_a_person_with_other_frequencies_is_not_joined():
    first = irt.Responses.from_matrix([[0, 1]], persons=["x"], counts=[3])
    second = irt.Responses.from_matrix([[0, 1]], persons=["x"], items=[2, 3], counts=[4])
    with pytest.raises(ResponsesError, match="'x' stands for different numbers of people"):
        first.joined(second)
