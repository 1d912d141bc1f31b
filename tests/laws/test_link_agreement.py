"""No silent wrong number: what is no link moves nothing, and anchors that do not agree make none."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from banks import MODELS, bank, jittered

from thetaline import irt
from thetaline.errors import ItemsError

METHODS = ("stocking-lord", "haebara", "mean-sigma", "mean-mean", "mean-gmean")

BANK = irt.Items(ids=list("abcd"), model="2PL", a=[1, 1.2, 0.9, 1], b=[-1, 0, 1.0, 2])
TWO_IN_COMMON = irt.Items(ids=list("abxy"), model="2PL", a=[1, 1.2, 0.9, 1], b=[-2, -1, 0.0, 1])
MOVES: dict[str, Callable[[irt.Link], object]] = {
    "items": lambda link: link.items(TWO_IN_COMMON),
    "theta": lambda link: link.theta([0.0]),
    "scores": lambda link: link.scores(
        irt.score(irt.Responses.from_matrix([[1, 0, 1, 1]], items=list("abxy")), TWO_IN_COMMON)
    ),
    "inverse": lambda link: link.inverse(),
}


@pytest.mark.parametrize("what", MOVES)
def test_what_is_no_link_moves_nothing_and_says_why(what: str) -> None:
    link = irt.link(new=TWO_IN_COMMON, reference=BANK)
    assert not link.linked
    with pytest.raises(ItemsError, match="not linked: 2 usable anchors of 2 common items, 3 are needed"):
        MOVES[what](link)


def test_a_chain_over_a_step_that_is_no_link_moves_nothing() -> None:
    forms = {"new": TWO_IN_COMMON, "bank": BANK, "same": BANK.rescaled(1.2, 0.1)}
    chain = irt.link_chain(forms, ["new", "bank", "same"])
    assert not chain.linked
    for move in (lambda: chain.items(TWO_IN_COMMON), lambda: chain.theta(0.0), lambda: irt.average_links([chain])):
        with pytest.raises(ItemsError, match="not linked: 2 usable anchors"):
            move()


def disturbed(items: irt.Items, by: np.ndarray) -> irt.Items:
    return irt.Items(ids=items.ids, model=items.model, a=items.a, b=(items.b.T + by).T, c=items.c, d=items.d)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [4, 12, 50])
def test_two_halves_that_moved_apart_are_no_link(n: int, method: str) -> None:
    reference = bank("2PL", n=n)
    halves = disturbed(reference, np.where(np.arange(n) % 2, 1.0, -1.0))
    for screen in (True, False):
        link = irt.link(new=halves, reference=reference, method=method, screen=screen)
        assert not link.linked
        assert "agree" in link.reason
        assert (link.A, link.B, link.n_anchors_used) == (1.0, 0.0, 0)


@pytest.mark.parametrize("model", MODELS)
def test_anchors_of_another_order_are_no_link(model: str) -> None:
    reference = bank(model, n=20)
    order = np.random.default_rng(3).permutation(20)
    mixed = irt.Items(ids=reference.ids[order], model=model, a=reference.a, b=reference.b, c=reference.c, d=reference.d)
    assert not irt.link(new=mixed, reference=reference).linked


@pytest.mark.parametrize("n", [3, 4, 5])
def test_a_few_anchors_that_run_backwards_are_no_link(n: int) -> None:
    reference = irt.Items(ids=range(n), a=np.ones(n), b=np.linspace(-1.0, 1.0, n))
    b = -reference.b
    b[[0, 1]] = b[[1, 0]]  # so that the order is not exactly reversed, and chance might have done it
    link = irt.link(new=irt.Items(ids=range(n), a=np.ones(n), b=b), reference=reference)
    assert not link.linked
    assert "run the other way" in link.reason


def errors(items: irt.Items, size: float) -> irt.ItemCovariance:
    names = ["a", *(f"b{k + 1}" for k in range(items.thresholds.shape[1]))]
    ids = np.repeat(items.ids, len(names))
    return irt.ItemCovariance(ids, np.array(names * len(items), dtype=object), np.eye(len(ids)) * size**2)


@pytest.mark.parametrize("model", ["Rasch", "2PL", "GRM"])
def test_what_errors_explain_is_a_link_and_the_same_distance_of_exact_anchors_is_none(model: str) -> None:
    reference = bank(model, n=12)
    apart = disturbed(reference, np.random.default_rng(4).normal(0.0, 0.45, 12))
    vague, exact = errors(reference, 0.35), errors(reference, 0.05)
    sure = irt.link(new=apart, reference=reference, new_covariance=exact, reference_covariance=exact, screen=False)
    unsure = irt.link(new=apart, reference=reference, new_covariance=vague, reference_covariance=vague, screen=False)
    assert unsure.linked
    assert not sure.linked
    assert "times what their errors explain" in sure.reason


def test_a_trifle_is_a_link_however_exact_the_anchors_are() -> None:
    reference = bank("2PL", n=12)
    exact = errors(reference, 0.001)
    link = irt.link(
        new=jittered(reference, sd=0.05), reference=reference, new_covariance=exact, reference_covariance=exact
    )
    assert link.linked


def test_a_link_of_which_errors_nothing_is_known_still_has_its_diagnostics_when_it_is_none() -> None:
    reference = bank("2PL", n=12)
    halves = disturbed(reference, np.where(np.arange(12) % 2, 1.0, -1.0))
    link = irt.link(new=halves, reference=reference, screen=False)
    assert link.diagnostics is not None
    assert np.abs(link.diagnostics.residual_b).min() > 0.4
    assert not link.diagnostics.used.any()


@pytest.mark.parametrize(("sizes", "n_persons"), [((3, 8, 30), 300), ((4, 20), 3000)])
def test_sound_anchors_are_linked(sizes: tuple[int, ...], n_persons: int) -> None:
    linked = []
    for seed in range(8):
        rng = np.random.default_rng([n_persons, seed])
        truth = irt.Items(ids=range(30), a=rng.lognormal(0, 0.3, 30), b=rng.normal(0, 1, 30))
        fits = [
            irt.calibrate(irt.simulate(truth, rng.normal(mean, sd, n_persons), rng), "2PL")
            for mean, sd in ((0.0, 1.0), (0.7, 1.3))
        ]
        known = [{}, {"new_covariance": fits[1].covariance(), "reference_covariance": fits[0].covariance()}]
        for n, k in product(sizes, known):
            anchors = fits[0].items.take(rng.choice(30, n, replace=False).tolist())
            linked.append(irt.link(new=fits[1].items, reference=anchors, **k).linked)
    assert all(linked)


@pytest.mark.parametrize("method", METHODS)
def test_anchors_that_are_known_exactly_beside_others_leave_no_division_by_zero(method: str) -> None:
    reference = bank("3PL", n=6)
    se = np.where(np.arange(6) < 3, 0.0, 0.1)
    known = irt.ItemCovariance(
        np.repeat(reference.ids, 2), np.array(["a", "b"] * 6, dtype=object), np.diag(np.repeat(se, 2) ** 2)
    )
    link = irt.link(new=reference.rescaled(0.8, 0.1), reference=reference, method=method, new_covariance=known)
    assert pytest.approx((1.25, -0.125), abs=1e-6) == (link.A, link.B)


def test_errors_of_asymptotes_do_not_stop_a_link_by_moments() -> None:
    reference = bank("3PL", n=6)
    names = np.array(["a", "b", "c"] * 6, dtype=object)
    known = irt.ItemCovariance(np.repeat(reference.ids, 3), names, np.eye(18) * 0.01)
    for method in METHODS:
        link = irt.link(new=reference.rescaled(0.8, 0.1), reference=reference, method=method, new_covariance=known)
        assert link.se.method == "delta"
