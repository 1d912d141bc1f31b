"""Which anchors carry a link: drifted ones are found and left out, what cannot be linked says so."""

import numpy as np
import pytest
from banks import bank, jittered

from thetaline import irt
from thetaline.errors import InputError, ItemsError
from thetaline.irt.linking.screening import Residuals

METHODS = ("stocking-lord", "haebara", "mean-sigma", "mean-mean", "mean-gmean")


@pytest.mark.parametrize("method", METHODS)
def test_screening_finds_the_planted_anchors_and_no_others(method: str) -> None:
    new = bank("2PL", n=30)
    drifted = new.b.copy()
    drifted[[4, 17]] += (1.0, -1.2)
    steeper = new.a.copy()
    steeper[23] *= 2.5
    reference = jittered(irt.Items(ids=new.ids, a=steeper, b=drifted), sd=0.02).rescaled(1.1, 0.2)
    found = irt.link(new=new, reference=reference, method=method)
    assert {"i4", "i17", "i23"} <= set(found.dropped)
    assert found.n_anchors_used >= 25
    assert pytest.approx((1.1, 0.2), abs=0.02) == (found.A, found.B)
    assert "robust z of b" in found.dropped["i4"]
    assert "robust z of log a" in found.dropped["i23"]
    unscreened = irt.link(new=new, reference=reference, method=method, screen=False)
    assert unscreened.dropped == {}
    assert unscreened.rmsd > 3 * found.rmsd


@pytest.mark.parametrize("n", [5, 6, 9, 10])
def test_the_spread_of_few_anchors_is_measured_without_bias(n: int) -> None:
    # without the factor n / (n - 0.8) of Croux & Rousseeuw (1992) the MAD of 5 residuals is a sixth too small
    drawn = np.random.default_rng(12).normal(size=(4000, n))
    spreads = []
    for residual in drawn:
        z = Residuals(residual, residual).robust_z().b
        at = np.argmax(np.abs(z))
        spreads.append((residual[at] - np.median(residual)) / z[at])
    assert np.mean(spreads) == pytest.approx(1.0, abs=0.04)


def test_a_robust_z_is_counted_from_the_anchors_that_are_used() -> None:
    residual = np.array([0.0, 1.0, 2.0, 3.0, 100.0])
    z = Residuals(residual, residual).robust_z(np.array([True, True, True, True, False]))
    spread = 1.4826 * 1.0 * 4 / 3.2
    np.testing.assert_allclose(z.b, (residual - 1.5) / spread)


def test_anchors_of_another_formula_are_dropped_and_those_of_the_same_are_kept() -> None:
    b = np.linspace(-1.0, 1.0, 5)[:, None] + np.array([-0.8, 0.8])
    new = irt.Items(ids=list("abcde"), model=["GPCM", "GRM", "PCM", "GPCM", "GRM"], a=np.ones(5), b=b)
    reference = irt.Items(ids=list("abcde"), model=["GRM", "GPCM", "GPCM", "GPCM", "GRM"], a=np.ones(5), b=b)
    found = irt.link(new=new, reference=reference)
    assert found.dropped == {"a": "GPCM in new, GRM in reference", "b": "GRM in new, GPCM in reference"}
    assert found.n_anchors_used == 3


def test_screening_never_leaves_fewer_than_three_anchors() -> None:
    new = bank("2PL", n=5)
    wild = irt.Items(ids=new.ids, a=new.a * [1, 3, 1, 0.2, 1], b=new.b + np.array([0.0, 4.0, 0.2, -3.0, 7.0]))
    found = irt.link(new=new, reference=wild, threshold=0.01)
    assert found.n_anchors_used == 3
    assert found.linked


@pytest.mark.parametrize("n", [6, 20])
def test_few_clean_anchors_seldom_lose_one_to_screening(n: int) -> None:
    clean = bank("2PL", n=n)
    lost = [len(irt.link(new=jittered(clean, seed=s), reference=clean, method="mean-mean").dropped) for s in range(150)]
    assert np.mean(lost) < 0.055 * n


def estimated(bank_: irt.Items, errors: irt.Items, rng: np.random.Generator) -> irt.Items:
    """The bank as calibrations with these standard errors would give it."""
    return irt.Items(
        ids=bank_.ids, a=bank_.a * np.exp(rng.normal(0, errors.a / bank_.a)), b=bank_.b + rng.normal(0, errors.b)
    )


def test_an_imprecise_anchor_is_not_taken_for_a_drifted_one_where_standard_errors_are_known() -> None:
    rng = np.random.default_rng(11)
    truth = bank("2PL", n=40)
    vague = np.where(np.arange(40) % 3 == 0, 0.6, 0.1)
    errors = irt.Items(ids=truth.ids, a=np.full(40, 0.1), b=vague)
    lost, lost_unaware, missed = 0, 0, 0
    for _ in range(20):
        new, reference = estimated(truth, errors, rng), estimated(truth, errors, rng)
        moved = irt.Items(ids=new.ids, a=new.a, b=new.b + np.where(np.arange(40) == 7, 1.5, 0.0))
        aware = irt.link(new=moved, reference=reference, new_covariance=errors, method="mean-mean")
        lost += len(set(aware.dropped) - {"i7"})
        missed += "i7" not in aware.dropped
        unaware = irt.link(new=moved, reference=reference, method="mean-mean")
        lost_unaware += len(set(unaware.dropped) - {"i7"})
    assert missed == 0
    assert lost < 0.04 * 39 * 20
    assert lost_unaware > 2.5 * lost


@pytest.mark.parametrize("threshold", [0.0, -1.0, np.nan])
def test_a_threshold_that_would_drop_every_anchor_is_refused(threshold: float) -> None:
    items = irt.Items(ids=range(5), a=np.ones(5), b=np.arange(5.0))
    with pytest.raises(InputError, match="a robust z above 0, not"):
        irt.link(new=items, reference=items, threshold=threshold)


def test_too_few_usable_anchors_leave_the_run_unlinked_on_its_own_scale() -> None:
    new = bank("2PL", n=4)
    reference = irt.Items(ids=["i0", "i1", "i2", "x"], a=[-0.5, 1.0, 1.0, 1.0], b=[0.0, 0.5, 1.0, 0.0])
    found = irt.link(new=new, reference=reference)
    assert not found.linked
    assert found.reason == "2 usable anchors of 3 common items, 3 are needed"
    assert found.dropped == {"i0": "a = -0.5 ≤ 0 in reference"}
    assert (found.A, found.B, found.n_anchors_used) == (1.0, 0.0, 0)
    assert np.isnan(found.rmsd)
    for move in (lambda: found.items(new), lambda: found.theta(0.0), found.inverse):
        with pytest.raises(ItemsError, match="not linked: 2 usable anchors of 3 common items"):
            move()


def test_anchors_that_match_nothing_are_an_error_that_shows_both_kinds_of_id() -> None:
    new = bank("2PL", n=4)
    numbered = irt.Items(ids=[1, 2, 3, 4], a=new.a, b=new.b)
    with pytest.raises(ItemsError, match=r"no item of `new` \('i0', 'i1', 'i2', …\) is in `reference` \(1, 2, 3, …\)"):
        irt.link(new=new, reference=numbered)


@pytest.mark.parametrize("method", METHODS)
def test_reversed_difficulties_are_no_link(method: str) -> None:
    new = bank("2PL")
    reference = irt.Items(ids=new.ids, a=new.a, b=-new.b + 0.3)
    found = irt.link(new=new, reference=reference, method=method)
    assert not found.linked
    assert "run the other way (correlation -1.00)" in found.reason


def test_slopes_of_opposite_sign_are_no_link() -> None:
    new = bank("2PL")
    found = irt.link(new=new, reference=irt.Items(ids=new.ids, a=-new.a, b=new.b))
    assert not found.linked
    assert "12 of 12 anchors have slopes of opposite sign" in found.reason


def test_anchors_with_other_categories_are_dropped_with_the_reason() -> None:
    new = bank("GRM", n=6)
    b = new.b.copy()
    b[0, 2] = np.nan
    found = irt.link(new=new, reference=irt.Items(ids=new.ids, model="GRM", a=new.a, b=b))
    assert found.dropped == {"i0": "4 categories in new, 3 in reference"}
