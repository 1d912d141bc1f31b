"""Drift: a scale that moves as a whole is no drift, an item that moves against the others is."""

import numpy as np
import pytest

from thetaline import irt
from thetaline.errors import ItemsError
from thetaline.irt.invariance import robust_z
from thetaline.irt.p_values import false_discovery
from thetaline.irt.purification import purify

N_ITEMS = 25


def bank(rng: np.random.Generator, n: int = N_ITEMS) -> irt.Items:
    return irt.Items(ids=[f"q{i}" for i in range(n)], model="2PL", a=rng.lognormal(0, 0.25, n), b=rng.normal(0, 0.9, n))


def estimated(items: irt.Items, rng: np.random.Generator, n: float) -> tuple[irt.Items, irt.ItemCovariance]:
    """Estimates of a bank as n persons from N(0, 1) would give them: true values plus errors with their covariance."""
    theta = np.linspace(-5, 5, 81)
    density = np.exp(-(theta**2) / 2) / np.exp(-(theta**2) / 2).sum()
    covariance = np.zeros((2 * len(items), 2 * len(items)))
    for i in range(len(items)):
        p = 1 / (1 + np.exp(-items.a[i] * (theta - items.b[i])))
        gradient = np.stack([theta - items.b[i], np.full(81, -items.a[i])])
        covariance[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = np.linalg.inv(
            (gradient * n * density * p * (1 - p)) @ gradient.T
        )
    truth = np.stack([items.a, items.b], axis=1).ravel()
    drawn = rng.multivariate_normal(truth, covariance, method="cholesky")
    entries = irt.ItemCovariance(
        np.repeat(items.ids, 2), np.tile(np.array(["a", "b"], dtype=object), len(items)), covariance
    )
    return irt.Items(ids=items.ids, model="2PL", a=drawn[::2], b=drawn[1::2]), entries


def moved(items: irt.Items, by: float, which: list[int]) -> irt.Items:
    b = items.b.copy()
    b[which] += by
    return irt.Items(ids=items.ids, model="2PL", a=items.a, b=b)


def compared(reference: irt.Items, new: irt.Items, rng: np.random.Generator, n: float = 1000) -> irt.Drift:
    (old, old_covariance), (now, now_covariance) = estimated(reference, rng, n), estimated(new, rng, n)
    return irt.drift(reference=old, new=now, reference_covariance=old_covariance, new_covariance=now_covariance)


def test_a_shift_of_scale_alone_is_rejected_at_the_nominal_rate_and_found_as_a_and_b() -> None:
    p, z = [], []
    for seed in range(200):
        rng = np.random.default_rng([5, seed])
        items = bank(rng)
        # θ_new = (θ − 0.7) / 1.3 in the new calibration, whose population had mean 0.7 and sd 1.3.
        found = compared(items, items.rescaled(1 / 1.3, -0.7 / 1.3), rng)
        p.append(found.p)
        z.append([(found.link.A - 1.3) / found.se.A, (found.link.B - 0.7) / found.se.B])
    assert 0.03 < np.mean(np.array(p) < 0.05) < 0.08
    assert np.all(np.abs(np.mean(z, axis=0)) < 0.5)
    np.testing.assert_allclose(np.std(z, axis=0), 1.0, atol=0.15)


def test_items_that_drift_against_the_others_are_found_whatever_the_scale_does() -> None:
    hits, false = [], []
    for seed in range(60):
        rng = np.random.default_rng([6, seed])
        items = bank(rng)
        drifted = moved(items, 0.7, [0, 1, 2]).rescaled(1 / 1.3, -0.7 / 1.3)
        found = set(compared(items, drifted, rng).drifted().tolist())
        hits.append(len(found & {"q0", "q1", "q2"}))
        false.append(len(found - {"q0", "q1", "q2"}))
    assert np.mean(hits) > 2.5
    assert np.mean(false) < 0.5


def test_drift_between_two_calibrations_names_the_item_and_its_direction() -> None:
    rng = np.random.default_rng(51)
    items = bank(rng, 15)
    fits = [
        irt.calibrate(irt.simulate(version, rng.normal(mean, 1.2 if mean else 1.0, 1500), rng))
        for version, mean in ((items, 0.0), (moved(items, -0.8, [4]), 0.5))
    ]
    found = irt.drift(
        reference=fits[0].items,
        new=fits[1].items,
        reference_covariance=fits[0].covariance(),
        new_covariance=fits[1].covariance(),
    )
    assert found.p_adjusted.argmin() == 4
    assert found.drifted().tolist() == ["q4"]
    assert found.change_b[4] < -0.5
    assert found.effect[4] > 0.08
    assert "q4" not in found.anchors.tolist()
    assert abs(found.link.A - 1.2) < 4 * found.se.A
    assert abs(found.link.B - 0.5) < 4 * found.se.B


def test_rasch_drift_is_one_of_location_alone() -> None:
    rng = np.random.default_rng(52)
    b = rng.normal(size=10)
    reference = irt.Items(ids=range(10), model="Rasch", b=b)
    new = irt.Items(
        ids=range(10), model="Rasch", b=b - 0.4 + np.where(np.arange(10) == 3, 0.8, rng.normal(0, 0.02, 10))
    )
    se = irt.Items(ids=range(10), model="2PL", a=np.full(10, 1e-9), b=np.full(10, 0.08))
    found = irt.drift(reference=reference, new=new, reference_covariance=se, new_covariance=se)
    assert found.drifted().tolist() == [3]
    assert found.df.tolist() == [1] * 10
    assert abs(found.link.A - 1.0) < 1e-12
    assert abs(found.link.B - 0.4) < 0.05


def test_many_items_that_drift_one_way_do_not_draw_the_scale_after_them() -> None:
    rng = np.random.default_rng(58)
    items = bank(rng)
    drifted = list(range(9))
    found = compared(items, moved(items, 1.0, drifted), rng, n=2000)
    assert set(found.drifted().tolist()) == {f"q{i}" for i in drifted}
    assert abs(found.link.B) < 0.1


def test_robust_z_spare_the_purification_its_rounds() -> None:
    rounds = []
    for seed in range(10):
        rng = np.random.default_rng([9, seed])
        items = bank(rng)
        rounds.append(compared(items, moved(items, 1.5, [0, 1, 2, 3, 4]), rng).rounds)
    # From all items as anchors it takes 3.8.
    assert np.mean(rounds) < 2.6


def test_a_parameter_without_error_is_not_tested() -> None:
    rng = np.random.default_rng(59)
    items = bank(rng)
    new, covariance = estimated(items, rng, 1000)
    known = covariance.matrix.copy()
    known[:2], known[:, :2] = 0.0, 0.0
    fixed = irt.ItemCovariance(covariance.ids, covariance.names, known)
    found = irt.drift(reference=items, new=new, reference_covariance=fixed, new_covariance=fixed)
    assert found.df.tolist() == [0] + [2] * (N_ITEMS - 1)
    assert np.isnan(found.p[0])


def test_a_reference_without_covariance_counts_as_known() -> None:
    rng = np.random.default_rng(53)
    items = bank(rng)
    new, covariance = estimated(items, rng, 1000)
    known = irt.drift(reference=items, new=new, new_covariance=covariance)
    both = irt.drift(reference=items, new=new, new_covariance=covariance, reference_covariance=covariance)
    assert known.statistic.mean() > 1.5 * both.statistic.mean()
    assert 1.0 < known.statistic.mean() < 3.2


def test_what_cannot_be_compared_is_refused() -> None:
    rng = np.random.default_rng(54)
    items = bank(rng)
    new, covariance = estimated(items, rng, 1000)
    with pytest.raises(ItemsError, match="covariance of a calibration"):
        irt.drift(reference=items, new=new)
    other = irt.Items(ids=range(N_ITEMS), model="2PL", a=items.a, b=items.b)
    with pytest.raises(ItemsError, match="0 items are in both"):
        irt.drift(reference=other, new=new, new_covariance=covariance)


def test_robust_z_sees_the_item_that_moved_and_not_the_scale() -> None:
    items = bank(np.random.default_rng(55))
    rng = np.random.default_rng(56)
    jittered = irt.Items(ids=items.ids, model="2PL", a=items.a * rng.lognormal(0, 0.05, N_ITEMS), b=items.b)
    z = robust_z(items, moved(jittered, 0.5, [9]).rescaled(0.7, 2.0))
    assert np.abs(z.b).argmax() == 9
    assert not z.small[9]
    assert z.small.sum() > 20


def test_purification_drops_what_fails_and_settles() -> None:
    def test(anchors: np.ndarray) -> np.ndarray:
        # Item 0 hides item 1 as long as it is an anchor itself.
        return np.array([0.001, 0.2 if anchors[0] else 0.01, 0.5, 0.6, 0.7])

    found = purify(test, np.ones(5, dtype=bool), alpha=0.05, least=2)
    assert found.anchors.tolist() == [False, False, True, True, True]
    assert found.settled


def test_purification_that_goes_in_circles_ends_unsettled() -> None:
    def test(anchors: np.ndarray) -> np.ndarray:
        return np.array([0.01, 0.9, 0.9, 0.9]) if anchors[0] else np.array([0.9, 0.01, 0.9, 0.9])

    found = purify(test, np.ones(4, dtype=bool), alpha=0.05, least=2)
    assert not found.settled
    assert found.anchors.sum() == 3


def test_purification_keeps_the_least_number_of_anchors() -> None:
    found = purify(lambda _: np.array([0.01, 0.02, 0.03, np.nan]), np.ones(4, dtype=bool), alpha=0.05, least=2)
    assert found.anchors.tolist() == [False, True, True, False]


def test_false_discovery_is_benjamini_and_hochbergs_example() -> None:
    """Benjamini & Hochberg (1995, p. 295): of 15 tests, four are rejected at 0.05."""
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    adjusted = false_discovery([*p, np.nan])
    assert np.count_nonzero(adjusted < 0.05) == 4
    assert adjusted[0] == pytest.approx(0.0015)
    assert np.isnan(adjusted[-1])
    shuffled = np.random.default_rng(57).permutation(15)
    np.testing.assert_allclose(false_discovery(np.array(p)[shuffled]), adjusted[:-1][shuffled])


def test_drift_carries_the_notes_of_both_calibrations_and_refuses_one_that_did_not_converge() -> None:
    rng = np.random.default_rng(71)
    theta, b = rng.normal(size=(500, 1)), np.linspace(-1, 1, 8)
    x = (rng.random((500, 8)) < 1 / (1 + np.exp(-(theta - b)))).astype(int)
    sound = irt.calibrate(irt.Responses.from_matrix(x))
    x[:, 6] = 1 - x[:, 6]
    turned = irt.calibrate(irt.Responses.from_matrix(x))
    sides = {"reference": sound.items, "reference_covariance": sound.covariance(), "by_position": True}
    found = irt.drift(new=turned.items, new_covariance=turned.covariance(), **sides)
    assert [note[:24] for note in found.notes] == ["new: runs backwards (1: 6"[:24]]
    assert 6 not in found.anchors.tolist()
    stopped = irt.calibrate(irt.Responses.from_matrix(x), max_cycles=3)
    with pytest.raises(
        ItemsError, match="the new calibration gives no errors to test with; it is out of cycles: raise"
    ):
        irt.drift(new=stopped.items, new_covariance=stopped.covariance(), **sides)
