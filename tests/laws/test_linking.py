"""Laws of linking: an exact rescaling is found exactly, links invert, drift is found, what cannot be linked says so."""

import numpy as np
import pytest
from banks import MODELS, bank, jittered

from thetaline import irt
from thetaline.errors import InputError, ItemsError

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


def test_rasch_slopes_are_set_so_that_only_the_shift_is_estimated() -> None:
    new = bank("Rasch")
    reference = irt.Items(ids=new.ids, model="Rasch", b=new.b * 1.2 + np.random.default_rng(5).normal(0.4, 0.05, 12))
    for method in ("stocking-lord", "haebara", "mean-mean"):
        found = irt.link(new=new, reference=reference, method=method, screen=False)
        assert pytest.approx(1.0, abs=1e-12) == found.A
        assert pytest.approx(0.0, abs=1e-12) == found.se.A
        assert pytest.approx(0.4, abs=0.1) == found.B
    assert pytest.approx(1.2, abs=0.05) == irt.link(new=new, reference=reference, method="mean-sigma").A


def test_too_few_usable_anchors_leave_the_run_unlinked_on_its_own_scale() -> None:
    new = bank("2PL", n=4)
    reference = irt.Items(ids=["i0", "i1", "i2", "x"], a=[-0.5, 1.0, 1.0, 1.0], b=[0.0, 0.5, 1.0, 0.0])
    found = irt.link(new=new, reference=reference)
    assert not found.linked
    assert found.reason == "2 usable anchors of 3 common items, 3 are needed"
    assert found.dropped == {"i0": "a = -0.5 ≤ 0 in reference"}
    assert (found.A, found.B, found.n_anchors_used) == (1.0, 0.0, 0)
    assert np.isnan(found.rmsd)
    assert found.items(new).b == pytest.approx(new.b)


def test_anchors_that_match_nothing_are_an_error_that_shows_both_kinds_of_id() -> None:
    new = bank("2PL", n=4)
    numbered = irt.Items(ids=[1, 2, 3, 4], a=new.a, b=new.b)
    with pytest.raises(ItemsError, match=r"no item of `new` \('i0', 'i1', 'i2', …\) is in `reference` \(1, 2, 3, …\)"):
        irt.link(new=new, reference=numbered)


@pytest.mark.parametrize("method", METHODS)
def test_reversed_difficulties_are_an_error(method: str) -> None:
    new = bank("2PL")
    reference = irt.Items(ids=new.ids, a=new.a, b=-new.b + 0.3)
    with pytest.raises(ItemsError, match=r"correlation -1\.00"):
        irt.link(new=new, reference=reference, method=method)


def test_slopes_of_opposite_sign_are_an_error() -> None:
    new = bank("2PL")
    with pytest.raises(ItemsError, match="12 of 12 anchors have slopes of opposite sign"):
        irt.link(new=new, reference=irt.Items(ids=new.ids, a=-new.a, b=new.b))


def test_anchors_with_other_categories_are_dropped_with_the_reason() -> None:
    new = bank("GRM", n=6)
    b = new.b.copy()
    b[0, 2] = np.nan
    found = irt.link(new=new, reference=irt.Items(ids=new.ids, model="GRM", a=new.a, b=b))
    assert found.dropped == {"i0": "4 categories in new, 3 in reference"}


def test_an_unknown_method_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ItemsError, match="unknown link method 'mean'; known are stocking-lord, haebara"):
        irt.link(new=bank("2PL"), reference=bank("2PL"), method="mean")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", ["Rasch", "3PL", "GRM"])
def test_the_delta_method_agrees_with_moving_each_parameter_by_hand(model: str, method: str) -> None:
    new, reference = jittered(bank(model, n=6), sd=0.2), bank(model, n=6).rescaled(1.2, 0.3)
    ids, name = ["i3", "i3", "i1"], ["a", "b2" if model == "GRM" else "b", "a"]
    if model == "Rasch":  # a is set
        ids, name = ["i3", "i0", "i1"], ["b", "b", "b"]
    matrix = np.array([[0.04, 0.01, 0.0], [0.01, 0.09, 0.02], [0.0, 0.02, 0.05]])
    covariance = irt.ItemCovariance(np.array(ids, dtype=object), np.array(name, dtype=object), matrix)
    found = irt.link(new=new, reference=reference, method=method, screen=False, new_covariance=covariance)
    assert found.se.method == "delta"

    def moved(item: str, parameter: str, by: float) -> np.ndarray:
        a, b, at = new.a.copy(), new.thresholds.copy(), int(item[1:])
        if parameter == "a":
            a[at] += by
        else:
            b[at, int(parameter[1:] or 1) - 1] += by
        nudged = irt.Items(ids=new.ids, model=model, a=a, b=b if model == "GRM" else b[:, 0], c=new.c)
        other = irt.link(new=nudged, reference=reference, method=method, screen=False)
        return np.array([other.A, other.B])

    D = np.column_stack([(moved(i, p, 1e-4) - moved(i, p, -1e-4)) / 2e-4 for i, p in zip(ids, name, strict=True)])
    assert found.se.covariance == pytest.approx(D @ matrix @ D.T, rel=1e-5, abs=1e-10)


def test_the_jackknife_is_near_the_spread_over_fresh_draws_of_anchors() -> None:
    reference = bank("2PL", n=20)
    found = [irt.link(new=jittered(reference, seed=s), reference=reference, screen=False) for s in range(60)]
    for name in ("A", "B"):
        spread = np.std([getattr(f, name) for f in found])
        typical = np.sqrt(np.mean([getattr(f.se, name) ** 2 for f in found]))
        assert 0.7 < typical / spread < 1.4
    assert found[0].se.method == "jackknife"


def test_the_jackknife_of_a_mean_is_its_textbook_standard_error() -> None:
    new = bank("Rasch", n=9)
    reference = irt.Items(ids=new.ids, model="Rasch", b=new.b + np.random.default_rng(8).normal(0.4, 0.3, 9))
    found = irt.link(new=new, reference=reference, method="mean-mean", screen=False)
    assert pytest.approx(np.std(reference.b - new.b, ddof=1) / 3.0, rel=1e-9) == found.se.B


def test_the_inverse_measures_on_the_other_scale() -> None:
    new, reference = jittered(bank("2PL")), bank("2PL").rescaled(2.0, 0.5)
    found = irt.link(new=new, reference=reference, method="mean-sigma", screen=False)
    back = irt.link(new=reference, reference=new, method="mean-sigma", screen=False)
    inverse = found.inverse()
    assert inverse.rmsd == pytest.approx(back.rmsd)
    assert (pytest.approx(back.se.A, rel=0.1), pytest.approx(back.se.B, rel=0.1)) == (inverse.se.A, inverse.se.B)


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


def forms_in_a_ring() -> dict[str, irt.Items]:
    whole = bank("2PL", n=30)
    parts = {
        name: whole.take(whole.ids[at])
        for name, at in (("x", slice(0, 20)), ("y", slice(10, 30)), ("z", [*range(20, 30), *range(10)]))
    }
    return {
        "x": jittered(parts["x"], seed=1),
        "y": jittered(parts["y"], seed=2).rescaled(1.2, 0.3),
        "z": jittered(parts["z"], seed=3).rescaled(0.8, -0.5),
    }


def independent_errors(items: irt.Items) -> irt.ItemCovariance:
    ids, names = [*items.ids, *items.ids], ["a"] * len(items) + ["b"] * len(items)
    return irt.ItemCovariance(np.array(ids, dtype=object), np.array(names, dtype=object), 0.01 * np.eye(len(ids)))


def test_a_chain_is_its_links_one_after_the_other() -> None:
    forms = forms_in_a_ring()
    chain = irt.link_chain(forms, ["x", "y", "z"])
    first, second = (irt.link(new=forms[s], reference=forms[e]) for s, e in (("x", "y"), ("y", "z")))
    theta = np.linspace(-2.0, 2.0, 5)
    np.testing.assert_allclose(chain.theta(theta), second.theta(first.theta(theta)))
    assert chain.linked
    assert np.isnan(chain.se.A)


def test_a_chain_there_and_back_by_symmetric_links_is_certain() -> None:
    forms = forms_in_a_ring()
    covariances = {name: independent_errors(items) for name, items in forms.items()}
    chain = irt.link_chain(forms, ["x", "y", "x"], covariances=covariances, symmetric=True, screen=False)
    np.testing.assert_allclose([chain.A, chain.B], [1.0, 0.0], atol=1e-7)
    np.testing.assert_allclose([chain.se.A, chain.se.B], 0.0, atol=1e-4)


def test_the_bisector_lies_between_its_links_and_is_surer_than_either() -> None:
    forms = forms_in_a_ring()
    covariances = {name: independent_errors(items) for name, items in forms.items()}
    direct, around = (irt.link_chain(forms, path, covariances=covariances, screen=False) for path in ("xz", "xyz"))
    average = irt.average_links([direct, around])
    assert min(direct.A, around.A) < average.A < max(direct.A, around.A)
    assert min(direct.B, around.B) < average.B < max(direct.B, around.B)
    assert min(direct.se.A, around.se.A) > average.se.A
    assert pytest.approx(direct.se.A) == irt.average_links([direct, direct]).se.A


def test_the_error_of_a_bisector_is_that_of_moving_its_links_by_hand() -> None:
    def chain(A: float, B: float, slopes: list[list[float]]) -> irt.ChainLink:
        derivatives = {"x": np.array(slopes)} if slopes else {}
        return irt.ChainLink(A, B, ("x", "y"), None, (), derivatives, {"x": np.diag([0.04, 0.09])})

    def moved(first: float, second: float) -> np.ndarray:
        average = irt.average_links(
            [chain(1.6 + first, 0.5 + 0.3 * first, []), chain(0.6 + second, -0.3 - 0.2 * second, [])]
        )
        return np.array([average.A, average.B])

    found = irt.average_links([chain(1.6, 0.5, [[1.0, 0.0], [0.3, 0.0]]), chain(0.6, -0.3, [[0.0, 1.0], [0.0, -0.2]])])
    e = 1e-5
    D = np.column_stack([(moved(e, 0) - moved(-e, 0)) / (2 * e), (moved(0, e) - moved(0, -e)) / (2 * e)])
    np.testing.assert_allclose(found.se.covariance, D @ np.diag([0.04, 0.09]) @ D.T, rtol=1e-6)


def test_the_bisector_of_the_inverse_links_is_the_inverse_of_the_bisector() -> None:
    steep, flat = (irt.ChainLink(A, B, ("x", "y"), None, (), {}, {}) for A, B in ((2.0, 0.5), (0.5, -0.3)))
    back = [irt.ChainLink(1 / one.A, -one.B / one.A, ("y", "x"), None, (), {}, {}) for one in (steep, flat)]
    there, inverse = irt.average_links([steep, flat]), irt.average_links(back)
    np.testing.assert_allclose([inverse.A, inverse.B], [1 / there.A, -there.B / there.A])


def test_paths_that_lead_nowhere_are_refused() -> None:
    forms = forms_in_a_ring()
    with pytest.raises(InputError, match=r"two or more of the forms \['x', 'y', 'z'\], not \['x', 'w'\]"):
        irt.link_chain(forms, ["x", "w"])
    with pytest.raises(InputError, match="between the same two forms"):
        irt.average_links([irt.link_chain(forms, "xy"), irt.link_chain(forms, "xz")])


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
        aware = irt.link(new=moved, reference=reference, new_covariance=errors)
        lost += len(set(aware.dropped) - {"i7"})
        missed += "i7" not in aware.dropped
        lost_unaware += len(set(irt.link(new=moved, reference=reference).dropped) - {"i7"})
    assert missed == 0
    assert lost < 0.04 * 39 * 20
    assert lost_unaware > 2.5 * lost


@pytest.mark.parametrize("threshold", [0.0, -1.0, np.nan])
def test_a_threshold_that_would_drop_every_anchor_is_refused(threshold: float) -> None:
    items = irt.Items(ids=range(5), a=np.ones(5), b=np.arange(5.0))
    with pytest.raises(InputError, match="a robust z above 0, not"):
        irt.link(new=items, reference=items, threshold=threshold)


def test_a_covariance_of_other_items_is_refused() -> None:
    items = irt.Items(ids=range(5), a=np.ones(5), b=np.arange(5.0))
    foreign = irt.ItemCovariance(np.array(["x"], dtype=object), np.array(["b"], dtype=object), np.eye(1))
    with pytest.raises(ItemsError, match=r"new_covariance is of other items \(\['x'\]\)"):
        irt.link(new=items, reference=items, new_covariance=foreign)
    with pytest.raises(ItemsError, match="the covariance of form 'B' is of other items"):
        irt.link_chain({"A": items, "B": items}, ["A", "B"], covariances={"B": foreign})
    with pytest.raises(ItemsError, match="reference_covariance is of other items"):
        irt.drift(new=items, reference=items, reference_covariance=foreign)
