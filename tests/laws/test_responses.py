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


@pytest.mark.parametrize(
    "ids",
    [
        np.array([-100, 100, 50], dtype=np.int8),
        np.array([-30_000, 30_000, 50], dtype=np.int16),
        np.array([2**63 + 1, 2**63 + 900, 2**63], dtype=np.uint64),
    ],
    ids=["int8", "int16", "uint64"],
)
def test_integers_that_span_more_than_their_own_type_stay_what_they_are(ids):
    # so many rows that ids are looked up in a table of their range
    rows = np.tile(ids, 20_000)
    responses = irt.Responses.from_long(rows, np.repeat(np.arange(20_000), 3), np.tile([0, 1, 1], 20_000))
    assert responses.person_ids.tolist() == sorted(ids.tolist())
    right = np.bincount(responses.person, responses.answer)
    assert right.tolist() == [20_000.0 * (name != ids.tolist()[0]) for name in responses.person_ids.tolist()]


def test_ids_of_mixed_kinds_keep_the_order_of_their_first_row():
    assert irt.Responses.from_long(["b", 1, "a"], [1, 1, 1], [0, 1, 1]).person_ids.tolist() == ["b", 1, "a"]


@pytest.mark.parametrize("other", ["u\u00e9 ", "ue\u0301", "\u00a0u\u00e9"])
def test_ids_that_look_alike_and_are_two_are_refused(other):
    refused = r"look alike and are two ids, by blanks around them"
    with pytest.raises(ResponsesError, match=rf"user_ids: 'u\\xe9' and .* {refused}"):
        irt.Responses.from_long(["u\u00e9", other, "v"], [1, 2, 1], [0, 1, 1])
    with pytest.raises(ResponsesError, match=f"item_ids: .* {refused}"):
        irt.Responses.from_long([1, 2, 3], ["u\u00e9", other, "v"], [0, 1, 1])
    with pytest.raises(ResponsesError, match=f"ids of items: .* {refused}"):
        irt.Responses.from_matrix(pd.DataFrame([[0, 1], [1, 1]], columns=["u\u00e9", other]))
    with pytest.raises(ResponsesError, match=f"ids of persons: .* {refused}"):
        irt.Responses.from_matrix([[0, 1], [1, 1]], items=["a", "b"], persons=["u\u00e9", other])


def test_a_number_and_its_text_are_not_two_persons():
    with pytest.raises(ResponsesError, match="user_ids: 7 and '7' look alike"):
        irt.Responses.from_long([7, "7", "007"], [1, 2, 1], [0, 1, 1])
    assert irt.Responses.from_long([7, "007", "A", "a"], [1, 2, 1, 1], [0, 1, 1, 1]).n_persons == 4


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
        ((["u", "v"], [1, 1], ["right", "wrong"]), "row 0 has 'right'"),
        ((["u", "v"], [1, 1], [1, "wrong"]), "row 1 has 'wrong'"),
        (([None, "v"], [1, 1], [0, 1]), "user_ids has missing values, first at row 0"),
        ((["u", "v"], [1.0, np.nan], [0, 1]), "item_ids has missing values, first at row 1"),
        ((["u"], [1, 2], [0, 1]), r"differ in length: \(1, 2, 2\)"),
        ((np.array([["u"], ["v"]]), [1, 2], [0, 1]), "user_ids must be one column"),
        (([[1], [2, 3]], [1, 2], [0, 1]), "user_ids must be hashable scalars"),
        ((pd.Series([pd.NA, "v"], dtype="string"), [1, 2], [0, 1]), "user_ids has missing values, first at row 0"),
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
        ({"x": [["a", "b"]]}, "holds numbers"),
        ({"x": [[1, 0]], "items": ["q", "q"]}, "ids of items must be unique; repeated: \\['q'\\]"),
        ({"x": [[1, 0]], "persons": ["u", "v"]}, "2 ids for 1 persons"),
        ({"x": [[1, 0]], "items": ["q", None]}, "ids of items are missing, first at position 1"),
        ({"x": [[1, 0], [1]]}, r"shape \(persons, items\), not \(2,\)"),
        ({"x": [[np.nan, 1], [2.5, 1]]}, "row 1, column 0 has 2.5"),
        ({"x": [[1, 0], [0, -1]]}, "row 1, column 1 has -1"),
        ({"x": [[1, 0]], "counts": [0]}, "counts must be above 0; row 0 has 0"),
        ({"x": [[1, 0]], "counts": ["many"]}, "counts must be numbers"),
        ({"x": [[1, 0]], "counts": [1, 2]}, r"counts must be one number a row, 1, not an array of shape \(2,\)"),
    ],
)
def test_what_is_no_matrix_of_answers_is_refused(arguments, message):
    with pytest.raises(ResponsesError, match=message):
        irt.Responses.from_matrix(**arguments)


def test_a_record_batch_is_a_table_too():
    batch = pa.table(dict(zip(("user_id", "item_id", "is_correct"), LONG, strict=True))).to_batches()[0]
    assert as_table(irt.Responses.from_frame(batch)) == as_table(irt.Responses.from_long(*LONG))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pl.DataFrame({"user_id": [1]}).lazy(), r"the table is lazy; give \.collect\(\) of it"),
        ({"user_id": [1]}, "a table of pandas, polars or pyarrow is needed, not dict"),
        (None, "a table of pandas, polars or pyarrow is needed, not NoneType"),
    ],
    ids=["lazy", "dict", "none"],
)
def test_what_is_no_table_is_said_to_be_none(table, message):
    with pytest.raises(ResponsesError, match=message):
        irt.Responses.from_frame(table)


def test_a_missing_column_is_named_with_those_that_are_there():
    with pytest.raises(ResponsesError, match=r"no column 'correct'; it has \['user_id', 'item_id', 'is_correct'\]"):
        irt.Responses.from_frame(
            pd.DataFrame(dict(zip(("user_id", "item_id", "is_correct"), LONG, strict=True))), correct="correct"
        )
