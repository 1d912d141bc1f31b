"""Responses from every form that callers have, and what is refused."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from thetaline import irt
from thetaline.errors import ResponsesError

LONG = (["u2", "u1", "u1", "u3"], [30, 30, 10, 20], [True, False, True, True])


def as_table(responses):
    """{(person, item): answer}."""
    persons, items = responses.person_ids[responses.person], responses.item_ids[responses.item]
    return dict(zip(zip(persons.tolist(), items.tolist(), strict=True), responses.answer.tolist(), strict=True))


def test_long_columns_become_answers_sorted_by_person_and_item():
    responses = irt.Responses.from_long(*LONG)
    assert responses.person_ids.tolist() == ["u1", "u2", "u3"]
    assert responses.item_ids.tolist() == [10, 20, 30]
    assert responses.person.tolist() == [0, 0, 1, 2]
    assert responses.item.tolist() == [0, 2, 2, 1]
    assert responses.answer.tolist() == [1, 0, 1, 1]
    assert responses.indptr.tolist() == [0, 2, 3, 4]
    assert (responses.n_persons, responses.n_items, responses.n_observations) == (3, 3, 4)


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "pyarrow"])
def test_every_kind_of_frame_gives_the_same_answers(library):
    frame = library(dict(zip(("user", "item_id", "score"), LONG, strict=True)))
    responses = irt.Responses.from_frame(frame, user="user", correct="score")
    assert as_table(responses) == as_table(irt.Responses.from_long(*LONG))


@pytest.mark.parametrize(
    "ids",
    [
        [3, 1, 3, 2],
        np.array([3, 1, 3, 2], dtype=np.int8),
        [3.0, 1.0, 3.0, 2.0],
        [10**15, 1, 10**15, 2],
        ["c", "a", "c", "b"],
    ],
)
def test_ids_of_every_kind_are_told_apart(ids):
    responses = irt.Responses.from_long(ids, [1, 1, 2, 1], [1, 0, 1, 0])
    assert responses.person_ids.tolist() == sorted(set(np.asarray(ids).tolist()))
    assert as_table(responses)[np.asarray(ids).tolist()[0], 2] == 1


def test_ids_of_mixed_kinds_keep_the_order_of_their_first_row():
    assert irt.Responses.from_long(["b", 1, "a"], [1, 1, 1], [0, 1, 1]).person_ids.tolist() == ["b", 1, "a"]


def test_a_matrix_with_gaps_keeps_its_order_and_its_counts():
    responses = irt.Responses.from_matrix([[1, np.nan, 0], [0, 1, 1]], items=["z", "y", "x"], counts=[3, 5])
    assert responses.item_ids.tolist() == ["z", "y", "x"]
    assert responses.item.tolist() == [0, 2, 0, 1, 2]
    assert responses.answer.tolist() == [1, 0, 0, 1, 1]
    assert responses.counts.tolist() == [3.0, 5.0]


def test_none_in_a_matrix_is_missing_too():
    assert irt.Responses.from_matrix([[1, None], [0, 1]]).n_observations == 3


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((["u", "u"], [1, 1], [0, 1]), r"1 answers repeat .* 1 of them contradict .* first \[\('u', 1\)\]"),
        ((["u", "u"], [1, 1], [1, 1]), "1 answers repeat .* 0 of them contradict"),
        ((["u", "v"], [1, 1], [0, np.nan]), "row 1 has nan; leave unanswered rows out"),
        ((["u", "v"], [1, 1], [0, None]), "leave unanswered rows out"),
        ((["u", "v"], [1, 1], [0, -1]), "row 1 has -1"),
        ((["u", "v"], [1, 1], [0.5, 1]), "row 0 has 0.5"),
        ((["u", "v"], [1, 1], [0, 400]), "row 1 has 400"),
        ((["u", "v"], [1, 1], ["right", "wrong"]), "got 'right'"),
        ((["u", "v"], [1, 1], [1, "wrong"]), "got 'wrong'"),
        (([None, "v"], [1, 1], [0, 1]), "user_ids has missing values, first at row 0"),
        ((["u", "v"], [1.0, np.nan], [0, 1]), "item_ids has missing values, first at row 1"),
        ((["u"], [1, 2], [0, 1]), r"differ in length: \(1, 2, 2\)"),
        ((np.array([["u"], ["v"]]), [1, 2], [0, 1]), "user_ids must be one column"),
        (([], [], []), "there are no answers"),
    ],
)
def test_what_are_no_answers_is_refused_with_the_row_and_the_value(columns, message):
    with pytest.raises(ResponsesError, match=message):
        irt.Responses.from_long(*columns)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": [1, 0]}, r"shape \(persons, items\), not \(2,\)"),
        ({"x": [[np.nan, np.nan]]}, "there are no answers"),
        ({"x": [["a", "b"]]}, "holds numbers"),
        ({"x": [[1, 0]], "items": ["q", "q"]}, "ids of items must be unique"),
        ({"x": [[1, 0]], "persons": ["u", "v"]}, "2 ids for 1 persons"),
        ({"x": [[1, 0]], "counts": [0]}, "counts must be 1 positive numbers"),
    ],
)
def test_what_is_no_matrix_of_answers_is_refused(arguments, message):
    with pytest.raises(ResponsesError, match=message):
        irt.Responses.from_matrix(**arguments)


def test_a_missing_column_is_named_with_those_that_are_there():
    with pytest.raises(ResponsesError, match=r"no column 'correct'; it has \['user_id', 'item_id', 'is_correct'\]"):
        irt.Responses.from_frame(
            pd.DataFrame(dict(zip(("user_id", "item_id", "is_correct"), LONG, strict=True))), correct="correct"
        )
