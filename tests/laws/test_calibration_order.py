"""Results do not depend on how the answers came in, nor on who computed them."""

import numpy as np
import pytest

from simulated import answers, bank, some_of
from thetaline import irt
from thetaline.irt.calibration import blocking, observed_data, ordering


def parameters(fit):
    """By item id, so that two orders can be compared."""
    order = np.argsort(fit.items.ids.astype(str))
    return np.column_stack([fit.items.a, fit.items.b])[order]


@pytest.mark.parametrize("model", ["Rasch", "2PL"])
def test_a_permuted_matrix_gives_the_same_estimates(model):
    rng = np.random.default_rng(1)
    items = bank(rng, 15)
    x = answers(rng, items, rng.normal(size=800)).astype(float)
    x[rng.random(x.shape) < 0.1] = np.nan
    rows, columns = rng.permutation(800), rng.permutation(15)
    first = irt.calibrate(irt.Responses.from_matrix(x, items=items.ids), model=model)
    second = irt.calibrate(irt.Responses.from_matrix(x[rows][:, columns], items=items.ids[columns]), model=model)
    np.testing.assert_allclose(parameters(second), parameters(first), rtol=0, atol=1e-10)
    assert second.log_likelihood == pytest.approx(first.log_likelihood, abs=1e-8)


def test_unnamed_columns_may_come_in_any_order_too():
    rng = np.random.default_rng(2)
    x = answers(rng, bank(rng, 12), rng.normal(size=700))
    columns = rng.permutation(12)
    first = irt.calibrate(irt.Responses.from_matrix(x))
    second = irt.calibrate(irt.Responses.from_matrix(x[:, columns]))
    np.testing.assert_allclose(second.items.a, first.items.a[columns], rtol=0, atol=1e-10)


@pytest.fixture
def thousands_count_as_millions(monkeypatch):
    """Let some thousand answers go the way of millions: single precision, many blocks of persons, many chunks."""
    monkeypatch.setattr(observed_data, "FLOAT32_FROM", 50_000)
    monkeypatch.setattr(blocking, "DENSE_ROWS", 256)
    monkeypatch.setattr(blocking, "SPARSE_ROWS", 256)
    monkeypatch.setattr(ordering, "CHUNK", 1 << 12)


@pytest.mark.usefixtures("thousands_count_as_millions")
@pytest.mark.parametrize("n_items", [40, 400], ids=["dense", "sparse"])
def test_shuffled_rows_and_renamed_items_give_the_same_estimates_in_single_precision(n_items):
    rng = np.random.default_rng(3)
    user, item, answer = some_of(rng, bank(rng, n_items), 2_500, 34)
    order, name = rng.permutation(len(user)), rng.permutation(n_items)
    first = irt.calibrate(irt.Responses.from_long(user, item, answer))
    data = first._solution.problem.data
    assert (data.dtype, len(data.blocks[0])) == (np.float32, 10)
    shuffled = irt.calibrate(irt.Responses.from_long(user[order], item[order], answer[order]))
    np.testing.assert_allclose(parameters(shuffled), parameters(first), rtol=0, atol=1e-10)
    renamed = irt.calibrate(irt.Responses.from_long(user, name[item], answer))
    np.testing.assert_allclose(renamed.items.a[name], first.items.a, rtol=0, atol=1e-10)
    np.testing.assert_allclose(renamed.items.b[name], first.items.b, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("n_persons", "n_items", "expected"),
    [
        (999, 1_000, np.float64),
        (1_000, 1_000, np.float32),
        (500, 2_000, np.float32),
        (500, 2_001, np.float64),  # the log-likelihood of so long a test would lose its third decimal
    ],
)
def test_single_precision_is_for_a_million_answers_or_more_and_two_thousand_a_person_or_fewer(
    n_persons, n_items, expected
):
    x = np.random.default_rng(9).integers(0, 2, (n_persons, n_items), dtype=np.uint8)
    responses = irt.Responses.from_matrix(x)
    two_categories, one_group = np.full(n_items, 2), np.zeros(n_persons, dtype=np.intp)
    counts = ordering.category_counts(responses)
    assert observed_data.observed_data(responses, counts, two_categories, one_group).dtype == expected


@pytest.mark.parametrize("n_items", [30, 300], ids=["dense", "sparse"])
def test_the_number_of_threads_changes_nothing(n_items):
    rng = np.random.default_rng(4)
    responses = irt.Responses.from_long(*some_of(rng, bank(rng, n_items), 6_000, 25))
    one, three = (irt.calibrate(responses, threads=threads) for threads in (1, 3))
    np.testing.assert_array_equal(parameters(one), parameters(three))
    assert one.log_likelihood == three.log_likelihood


def test_patterns_with_counts_are_the_persons_they_stand_for():
    rng = np.random.default_rng(5)
    x = answers(rng, bank(rng, 4), rng.normal(size=600))
    patterns, counts = np.unique(x, axis=0, return_counts=True)
    persons = irt.calibrate(irt.Responses.from_matrix(x))
    merged = irt.calibrate(irt.Responses.from_matrix(patterns, counts=counts))
    np.testing.assert_allclose(merged.items.a, persons.items.a, atol=1e-8)
    assert merged.bic == pytest.approx(persons.bic, abs=1e-6)


def test_equal_answers_are_merged_before_the_first_cycle():
    rng = np.random.default_rng(6)
    fit = irt.calibrate(irt.Responses.from_matrix(answers(rng, bank(rng, 5), rng.normal(size=2000))))
    rows = sum(len(block.weight) for group in fit._solution.problem.data.blocks for block in group)
    assert rows <= 2**5


def test_ids_of_any_kind_come_back_in_the_order_of_the_responses():
    rng = np.random.default_rng(7)
    user, item, answer = some_of(rng, bank(rng, 8), 400, 5)
    names = np.array([f"q{k}" for k in range(8)])
    responses = irt.Responses.from_long(user.astype(str), names[item], answer)
    assert irt.calibrate(responses).items.ids.tolist() == responses.item_ids.tolist() == sorted(names.tolist())
