"""Standard errors of a link: the delta method is moving the parameters by hand, the jackknife the spread of draws."""

from dataclasses import replace

import numpy as np
import pytest
from banks import bank, jittered

from thetaline import irt
from thetaline.errors import ItemsError

METHODS = ("stocking-lord", "haebara", "mean-sigma", "mean-mean", "mean-gmean")


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
    reference = bank("2PL", n=12)
    found = [irt.link(new=jittered(reference, seed=s), reference=reference, screen=False) for s in range(50)]
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
    assert found.inverse().rmsd == pytest.approx(back.rmsd)


def test_the_error_of_the_inverse_is_that_of_moving_the_link_by_hand() -> None:
    found = irt.link(new=jittered(bank("2PL")), reference=bank("2PL").rescaled(2.0, 0.5), screen=False)
    e = 1e-6

    def moved(A: float, B: float) -> np.ndarray:
        inverse = replace(found, A=found.A + A, B=found.B + B).inverse()
        return np.array([inverse.A, inverse.B])

    D = np.column_stack([(moved(e, 0) - moved(-e, 0)) / (2 * e), (moved(0, e) - moved(0, -e)) / (2 * e)])
    inverse = found.inverse().se
    assert abs(found.se.covariance[0, 1]) > 0.1 * found.se.A * found.se.B  # A and B go together, and so must theirs
    np.testing.assert_allclose(inverse.covariance, D @ found.se.covariance @ D.T, rtol=1e-6)
    np.testing.assert_allclose([inverse.A, inverse.B], np.sqrt(np.diagonal(inverse.covariance)))


def test_a_covariance_of_other_items_is_refused() -> None:
    items = irt.Items(ids=range(5), a=np.ones(5), b=np.arange(5.0))
    foreign = irt.ItemCovariance(np.array(["x"], dtype=object), np.array(["b"], dtype=object), np.eye(1))
    with pytest.raises(ItemsError, match=r"new_covariance is of other items \(\['x'\]\)"):
        irt.link(new=items, reference=items, new_covariance=foreign)
    with pytest.raises(ItemsError, match="the covariance of form 'B' is of other items"):
        irt.link_chain({"A": items, "B": items}, ["A", "B"], covariances={"B": foreign})
    with pytest.raises(ItemsError, match="reference_covariance is of other items"):
        irt.drift(new=items, reference=items, reference_covariance=foreign)
