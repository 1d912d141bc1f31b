"""Laws of linking: an exact rescaling is found exactly, links invert, curves agree where scales do."""

import numpy as np
import pytest
from banks import MODELS, bank, jittered

from thetaline import irt
from thetaline.errors import ItemsError

METHODS = ("stocking-lord", "haebara", "mean-sigma", "mean-mean", "mean-gmean")
CURVE_METHODS = METHODS[:2]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", MODELS)
def test_an_exact_rescaling_is_found_exactly(model: str, method: str) -> None:
    new = bank(model)
    found = irt.link(new=new, reference=new.rescaled(1.37, -0.61), method=method)
    assert pytest.approx((1.37, -0.61), abs=1e-9) == (found.A, found.B)
    assert (found.n_anchors_used, found.dropped) == (12, {})
    assert found.rmsd == pytest.approx(0.0, abs=1e-9)
    assert pytest.approx((0.0, 0.0), abs=1e-8) == (found.se.A, found.se.B)


@pytest.mark.parametrize("method", CURVE_METHODS)
def test_a_mixed_bank_of_dichotomous_and_polytomous_items_links(method: str) -> None:
    b = np.column_stack([np.linspace(-1.5, 1.5, 6), np.full(6, np.nan), np.full(6, np.nan)])
    b[3:] = b[3:, :1] + np.array([-0.7, 0.0, 0.8])
    models = ["2PL", "Rasch", "2PL", "GRM", "GPCM", "GRM"]
    new = irt.Items(ids=list("abcdef"), model=models, a=[0.8, 1.0, 1.4, 1.1, 0.7, 2.0], b=b)
    found = irt.link(new=new, reference=new.rescaled(0.8, 0.3), method=method)
    assert pytest.approx((0.8, 0.3), abs=1e-9) == (found.A, found.B)


@pytest.mark.parametrize("method", METHODS)
def test_symmetric_links_are_each_others_inverse(method: str) -> None:
    new, reference = jittered(bank("3PL")), bank("3PL").rescaled(1.2, 0.4)
    there = irt.link(new=new, reference=reference, method=method, symmetric=True, screen=False)
    back = irt.link(new=reference, reference=new, method=method, symmetric=True, screen=False)
    if method == "mean-mean":  # the ratio of arithmetic means is symmetric, its B is too
        assert pytest.approx(1.0, abs=1e-12) == there.A * back.A
    assert pytest.approx((back.A, back.B), abs=1e-7) == (there.inverse().A, there.inverse().B)
    theta = np.linspace(-3.0, 3.0, 7)
    assert there.inverse().theta(there.theta(theta)) == pytest.approx(theta, abs=1e-12)


@pytest.mark.parametrize("method", CURVE_METHODS)
def test_one_direction_is_not_the_other(method: str) -> None:
    new, reference = jittered(bank("2PL"), sd=0.3), bank("2PL").rescaled(1.5, 1.0)
    there = irt.link(new=new, reference=reference, method=method, screen=False)
    back = irt.link(new=reference, reference=new, method=method, screen=False)
    assert abs(there.A * back.A - 1.0) > 1e-4


@pytest.mark.parametrize("method", METHODS)
def test_the_linked_items_give_the_same_probabilities_on_the_linked_abilities(method: str) -> None:
    new = jittered(bank("GPCM"))
    found = irt.link(new=new, reference=bank("GPCM").rescaled(1.3, -0.5), method=method)
    theta = np.linspace(-3.0, 3.0, 9)
    assert found.items(new).log_prob(found.theta(theta)) == pytest.approx(new.log_prob(theta), abs=1e-10)


def test_rasch_slopes_are_set_so_that_only_the_shift_is_estimated() -> None:
    new = bank("Rasch")
    reference = irt.Items(ids=new.ids, model="Rasch", b=new.b * 1.2 + np.random.default_rng(5).normal(0.4, 0.05, 12))
    for method in ("stocking-lord", "haebara", "mean-mean"):
        found = irt.link(new=new, reference=reference, method=method, screen=False)
        assert pytest.approx(1.0, abs=1e-12) == found.A
        assert pytest.approx(0.0, abs=1e-12) == found.se.A
        assert pytest.approx(0.4, abs=0.1) == found.B
    assert pytest.approx(1.2, abs=0.05) == irt.link(new=new, reference=reference, method="mean-sigma").A


@pytest.mark.parametrize("method", METHODS[:2] + METHODS[3:])
@pytest.mark.parametrize("model", ["Rasch", "PCM"])
def test_slopes_that_are_set_say_the_slope_of_the_link_whatever_the_difficulties_say(model: str, method: str) -> None:
    new = bank(model)
    reference = jittered(bank(model), seed=6, sd=0.2)
    reference = irt.Items(ids=new.ids, model=model, b=1.3 * reference.b).rescaled(0.8, -0.3)
    found = irt.link(new=new, reference=reference, method=method, screen=False)
    assert pytest.approx(0.8, abs=1e-12) == found.A
    np.testing.assert_allclose(found.items(new).a, reference.a)


def test_an_unknown_method_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ItemsError, match="unknown link method 'mean'; known are stocking-lord, haebara"):
        irt.link(new=bank("2PL"), reference=bank("2PL"), method="mean")


def test_anchors_of_one_difficulty_link_by_their_curves_but_not_by_mean_sigma() -> None:
    new = irt.Items(ids=list("abc"), a=[0.7, 1.0, 1.4], b=[0.5, 0.5, 0.5])
    found = irt.link(new=new, reference=new.rescaled(1.3, -0.2))
    np.testing.assert_allclose([found.A, found.B], [1.3, -0.2], atol=1e-9)
    with pytest.raises(ItemsError, match=r"all b are 0\.5 in new: mean/sigma has no A > 0; use stocking-lord"):
        irt.link(new=new, reference=new.rescaled(1.3, -0.2), method="mean-sigma")


def test_diagnostics_hold_the_curves_before_and_after() -> None:
    new, reference = jittered(bank("2PL")), bank("2PL").rescaled(1.3, 0.8)
    found = irt.link(new=new, reference=reference)
    shown = found.diagnostics
    assert shown is not None
    target, before, after = shown.test_curves
    assert np.abs(after - target).max() < 0.1 * np.abs(before - target).max()
    assert shown.after == pytest.approx(found.items(new).expected_score(shown.theta), abs=1e-10)
    assert np.median(shown.z_b[shown.used]) == pytest.approx(0.0, abs=1e-12)
    assert (shown.curve_rmsd < 0.1).all()
