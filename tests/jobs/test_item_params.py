import numpy as np
import pytest

from thetaline.errors import ItemsError
from thetaline.jobs.item_params import items_of_params, parameter_names


@pytest.mark.parametrize(
    ("model", "names"), [("Rasch", "ab"), ("1PL", "ab"), ("2PL", "ab"), ("3PL", "abc"), ("4PL", "abcd")]
)
def test_a_model_names_the_parameters_of_its_items(model: str, names: str) -> None:
    assert parameter_names(model) == tuple(names)


def test_an_absent_or_null_parameter_has_the_value_that_makes_no_difference() -> None:
    items = items_of_params(["1", "2"], ["Rasch", "4PL"], [{"b": 0.5}, {"a": 1.2, "b": -0.5, "c": None, "d": None}])
    assert items.a.tolist() == [1.0, 1.2]
    assert items.b.tolist() == [0.5, -0.5]
    assert [items.c[1], items.d[1]] == [0.0, 1.0]


def test_a_parameter_that_the_model_lacks_is_ignored() -> None:
    items = items_of_params([7], ["2PL"], [{"a": 1.2, "b": 0.5, "c": 0.25, "d": 0.9}])
    assert items.ids.tolist() == [7]
    assert np.isnan([items.c[0], items.d[0]]).all()


def test_an_item_without_a_difficulty_is_refused_by_its_id() -> None:
    with pytest.raises(ItemsError, match="101"):
        items_of_params(["100", "101"], ["2PL", "2PL"], [{"a": 1.0, "b": 0.0}, {"a": 1.0}])
