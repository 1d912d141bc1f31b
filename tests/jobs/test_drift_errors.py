"""Drift where standard errors are missing, and of very many items."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from drifts import (
    LONG_AGO,
    SE,
    Params,
    alerts,
    calibrated,
    check,
    estimated,
    moved,
    truth,
)
from learners import TODAY, Connection

from thetaline import irt
from thetaline.errors import ItemsError
from thetaline.jobs.drift import check as check_job
from thetaline.jobs.drift.comparison import Comparison, ItemRow, compare, load_comparison


def compared(n_items: int) -> Comparison:
    """Two calibrations with the same standard errors."""
    sides = [
        {item: ItemRow("2PL", params, SE, 0.0, "fit") for item, params in estimated(truth(n_items), seed).items()}
        for seed in (1, 2)
    ]
    names = {item: str(item) for item in sides[0]}
    return Comparison("fit", sides[0], sides[1], names, frozenset(), ())


def test_an_item_whose_test_has_no_p_does_not_count_as_tested() -> None:
    comparison = compared(5)
    found = compare(comparison)
    found = replace(found, p=np.where(found.ids == 2, np.nan, found.p))
    assert check_job.DriftFindings(comparison, found, [], [], []).tested == [1, 3, 4, 5]


def test_items_without_standard_errors_are_left_out_and_named(conn: Connection, database: str) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    without = {7: {}, 8: {"a": 0.1}, 9: {"b": 0.1}, 10: {"a": 0.1, "b": 0.0}, 11: {}, 12: {}}
    calibrated(conn, "fit-2", estimated(moved(4, 8), 2), TODAY, se=without)
    summary = check(conn, database)
    assert summary["without_errors"] == {"count": 6, "items": ["7", "8", "9", "10", "11"]}
    assert (summary["n_items"], summary["n_tested"], set(alerts(conn))) == (24, 24, {"4"})


def test_a_calibration_without_any_standard_errors_is_no_fault(conn: Connection, database: str) -> None:
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", estimated(moved(4), 2), TODAY, se={item: {} for item in truth()})
    summary = check(conn, database)
    assert (summary["tested"], summary["n_items"], summary["without_errors"]["count"]) == (False, 0, 30)


def test_a_slope_that_all_items_share_needs_no_standard_error(conn: Connection, database: str) -> None:
    def rasch(params: Params, seed: int) -> Params:
        return {item: {"a": 1.0, "b": one["b"]} for item, one in estimated(params, seed).items()}

    of_b = {item: {"b": SE["b"]} for item in truth()}
    calibrated(conn, "fit-1", rasch(truth(), 1), LONG_AGO, model="Rasch", se=of_b)
    calibrated(conn, "fit-2", rasch(moved(4), 2), TODAY, model="Rasch", se=of_b)
    assert (check(conn, database)["n_tested"], set(alerts(conn))) == (30, {"4"})


def test_a_reference_without_all_its_standard_errors_is_as_exact_as_the_recent_estimate() -> None:
    whole, lacking = compared(10), compared(10)
    half = {number: replace(row, se={"a": 0.001}) for number, row in lacking.reference.items()}
    np.testing.assert_array_equal(compare(replace(lacking, reference=half)).p, compare(whole).p)


def test_standard_errors_give_what_their_diagonal_matrix_gives() -> None:
    """Also in another order, of more or fewer items than are compared, and with more or fewer thresholds."""
    rng = np.random.default_rng(6)
    b = np.sort(rng.normal(size=(8, 2)), axis=1)
    b[3:, 1] = np.nan
    old = irt.Items(ids=list(range(8)), model=["GRM"] * 3 + ["2PL"] * 5, a=rng.uniform(0.5, 2, 8), b=b)
    new = old.replaced(a=old.a + 0.05 * rng.normal(size=8), b=old.b + 0.05 * rng.normal(size=(8, 2)))
    se = old.replaced(a=np.array([0.1, np.nan, *[0.1] * 6]), b=np.where(np.isfinite(b), 0.1, np.inf))
    short = new.take(range(3, 8)).replaced(b=new.b[3:, 0].copy())
    shuffled, some, narrow = se.take([5, 3, 2, 1, 0, 7, 6, 4]), se.take([0, 1, 2, 4]), se.replaced(b=se.b[:, :1])
    for items, errors in ((new, shuffled), (new, some), (new, narrow), (short, se.take(range(3, 8)))):
        diagonal = irt.ItemCovariance.from_errors(errors)
        ours, theirs = (
            irt.drift(new=items, reference=short if items is short else old, new_covariance=c, reference_covariance=c)
            for c in (errors, diagonal)
        )
        np.testing.assert_allclose(ours.p, theirs.p, rtol=1e-9)
        np.testing.assert_allclose(ours.se.covariance, theirs.se.covariance, rtol=1e-9)


def peak_of_comparing(n_items: int) -> int:
    comparison = compared(n_items)
    tracemalloc.start()
    try:
        compare(comparison)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_grows_with_the_items_and_not_with_their_square() -> None:
    """A covariance matrix of all parameters would need 16 times as much for four times as many items."""
    compare(compared(10))  # what is imported on the way does not count
    assert peak_of_comparing(4000) < 5 * peak_of_comparing(1000)


def test_the_covariance_of_a_with_b_sharpens_the_test_of_an_item(conn: Connection, database: str) -> None:
    """a too low and b too high together are what the answers of able learners leave open; the reverse is not."""
    one = {**truth()[4], "a": truth()[4]["a"] + 0.16, "b": truth()[4]["b"] + 0.12}
    calibrated(conn, "fit-1", estimated(truth(), 1), LONG_AGO)
    calibrated(conn, "fit-2", {**estimated(truth(), 1), 4: one}, TODAY)
    statistics = {}
    for correlation in (-0.9, 0.0, 0.9):
        conn.execute("update item_param set cov_ab = %s", (correlation * SE["a"] * SE["b"],))
        conn.commit()
        found = compare(load_comparison(conn, TODAY, lookback_days=30))
        statistics[correlation] = found.statistic[found.ids == 4][0]
    assert statistics[-0.9] > 2 * max(statistics[0.0], statistics[0.9])


def test_anchors_are_adjusted_for_their_own_number() -> None:
    everything = compared(200)
    alone = compare(replace(everything, anchors=frozenset({3, 4})))
    p, adjusted = alone.p, alone.p_adjusted
    rows = np.flatnonzero(np.isin(alone.ids, [3, 4]))
    np.testing.assert_allclose(adjusted[rows], irt.false_discovery(p[rows]))
    others = np.flatnonzero(~np.isin(alone.ids, [3, 4]))
    np.testing.assert_allclose(adjusted[others], irt.false_discovery(p[others]))


def test_a_covariance_that_is_none_is_refused() -> None:
    with pytest.raises(ItemsError, match="1 blocks are no covariances, first that of item 'q2'"):
        irt.ItemBlocks(["q1", "q2"], np.array([[[1.0, 0.5], [0.5, 1.0]], [[1.0, 2.0], [2.0, 1.0]]]))
    with pytest.raises(ItemsError, match=r"blocks of shape \(2, 2\) for 2 ids"):
        irt.ItemBlocks(["q1", "q2"], np.eye(2))
