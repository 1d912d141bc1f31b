"""Chains of links and their averages: one after the other, there and back, and their errors."""

import numpy as np
import pytest
from banks import bank, jittered

from thetaline import irt
from thetaline.errors import InputError


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


def test_a_chain_screens_its_anchors_as_a_link_does_unless_told_not_to() -> None:
    forms = {"x": bank("2PL", n=12), "y": bank("2PL", n=12)}
    b = forms["y"].b.copy()
    b[3] += 2.0
    forms["y"] = irt.Items(ids=forms["y"].ids, a=forms["y"].a, b=b)
    screened, told = irt.link_chain(forms, "xy"), irt.link_chain(forms, "xy", screen=False)
    assert set(screened.links[0].dropped) == set(irt.link(new=forms["x"], reference=forms["y"]).dropped) == {"i3"}
    assert told.links[0].dropped == {}
    assert abs(screened.B) < 1e-6
    assert abs(told.B) > 0.05


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
