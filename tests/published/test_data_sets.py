"""The copied answers are those that the literature describes, before anything is computed from them."""

import mirt_reference
import numpy as np
import pytest

# persons, items, categories; `data/README.md` names the sources
SIZES = {
    "Abortion": (379, 4, 2),
    "LSAT6": (1000, 5, 2),
    "LSAT7": (1000, 5, 2),
    "SLF": (1490, 5, 2),
    "Science": (392, 4, 4),
    "WIRS": (1005, 6, 2),
    "deAyala": (19_601, 5, 2),
}
# Bock & Lieberman (1970): how many answered each item rightly
RIGHT = {"LSAT6": [924, 709, 553, 763, 870], "LSAT7": [828, 658, 772, 606, 843]}


def test_every_data_set_is_described() -> None:
    assert mirt_reference.datasets() == sorted(SIZES)


@pytest.mark.parametrize("dataset", SIZES)
def test_a_data_set_has_every_person_item_and_category(dataset: str) -> None:
    items, table = mirt_reference.pattern_table(dataset)
    patterns, counts = table[:, :-1], table[:, -1]
    n_persons, n_items, n_categories = SIZES[dataset]
    assert (counts.sum(), counts.min() > 0, len(items)) == (n_persons, True, n_items)
    assert len(np.unique(patterns, axis=0)) == len(patterns)
    assert all(np.unique(answers).tolist() == list(range(n_categories)) for answers in patterns.T)


@pytest.mark.parametrize("dataset", RIGHT)
def test_as_many_answered_each_item_rightly_as_bock_and_lieberman_say(dataset: str) -> None:
    _, table = mirt_reference.pattern_table(dataset)
    assert (table[:, -1] @ table[:, :-1]).tolist() == RIGHT[dataset]


@pytest.mark.parametrize("name", mirt_reference.names())
def test_mirts_numbers_are_of_these_answers(name: str) -> None:
    numbers = mirt_reference.numbers_of(name)
    items, table = mirt_reference.pattern_table(name.split("__", maxsplit=1)[0])
    assert (numbers["N"], numbers["items"]) == (table[:, -1].sum(), items)
    assert numbers["AIC"] == pytest.approx(2 * numbers["nest"] - 2 * numbers["logLik"], abs=1e-5)
    patterns = {"".join(map(str, row)) for row in table[:, :-1].tolist()}
    assert set(numbers["scores"]["pattern"]) == patterns
