"""Maxima of a person's objective: bracketed on the person's nodes, then polished by a guarded Newton iteration.

The nodes see every mode, so that a likelihood with two of them (3PL) gives the higher, from wherever one starts.
"""

from typing import NamedTuple, Protocol

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.scoring.matched_responses import MatchedResponses
from thetaline.irt.scoring.quadrature import NodeRange, node_ranges

TOLERANCE = 1e-10
MAX_STEPS = 60  # a bracket of width 2 is below the tolerance after 35 halvings
MAX_WIDENINGS = 8


class PersonDerivatives(NamedTuple):
    """First and second derivative of an objective at each person's θ, (N,); the second may be approximate."""

    slope: Array
    curvature: Array


class Objective(Protocol):
    """What a person's score maximises."""

    def on_nodes(self, matched: MatchedResponses, who: Index, nodes: Array, log_likelihood: Array) -> Array:
        """Its value at the nodes (n, Q), up to a constant a person; `who` are rows of all persons."""
        ...

    def at(self, matched: MatchedResponses, who: Index, theta: Array) -> PersonDerivatives:
        """Its derivatives at each person's θ."""
        ...


class Bracket(NamedTuple):
    """Where to start and the node whose neighbours, h away, enclose the maximum; start and centre (N,)."""

    start: Array
    centre: Array
    h: float


class Modes(NamedTuple):
    """Where the objective is largest, (N,), and whether the search ended."""

    theta: Array
    converged: Mask


class SearchRange(NamedTuple):
    """Where a search begins, (N,) each; it goes on outside where the objective rises there."""

    low: Array
    high: Array


def search_modes(matched: MatchedResponses, objective: Objective, information: Array, first: SearchRange) -> Modes:
    """Maximise for every person; `information` (N,) bounds the curvature."""
    low, high = first
    theta, converged = np.zeros(matched.n_persons), np.zeros(matched.n_persons, dtype=bool)
    who = np.arange(matched.n_persons)
    for _ in range(MAX_WIDENINGS):
        outside = []
        for node_range in node_ranges(information[who], low[who], high[who]):
            there = who[node_range.who]
            theta[there], converged[there], at_edge = _search(matched.chosen(there), objective, there, node_range)
            outside.append(there[at_edge])
        who = np.sort(np.concatenate([*outside, np.empty(0, dtype=np.intp)]))
        if not who.size:
            break
        low, high = low - (high - low), high + (high - low)
    return Modes(theta, converged)


def _search(
    matched: MatchedResponses, objective: Objective, who: Index, node_range: NodeRange
) -> tuple[Array, Mask, Mask]:
    nodes = node_range.nodes
    value = objective.on_nodes(matched, who, nodes, np.asarray(matched.one_hot @ matched.bank.log_prob(nodes)))
    top = value.argmax(axis=1)
    at_edge = (top == 0) | (top == len(nodes) - 1)
    inner = np.clip(top, 1, len(nodes) - 2)
    theta, done = _newton(matched, objective, who, Bracket(_vertex(value, inner, nodes), nodes[inner], node_range.h))
    return theta, done & ~at_edge, at_edge


def _vertex(value: Array, top: Index, nodes: Array) -> Array:
    """Top of the parabola through the best node and its neighbours."""
    row = np.arange(len(top))
    left, middle, right = (value[row, top + j] for j in (-1, 0, 1))
    curvature = np.minimum(left - 2.0 * middle + right, -np.finfo(float).tiny)
    shift = np.clip(0.5 * (left - right) / curvature, -1.0, 1.0)
    return np.asarray(nodes[top] + shift * (nodes[1] - nodes[0]))


def _newton(matched: MatchedResponses, objective: Objective, who: Index, bracket: Bracket) -> tuple[Array, Mask]:
    """Newton where it stays in the bracket, halving where it does not; the finished leave when they are the most."""
    theta, low, high = bracket.start, bracket.centre - bracket.h, bracket.centre + bracket.h
    done = np.zeros(len(theta), dtype=bool)
    here = np.arange(len(theta))
    for _ in range(MAX_STEPS):
        local = objective.at(matched, who[here], theta[here])
        rising = local.slope > 0
        low[here], high[here] = np.where(rising, theta[here], low[here]), np.where(rising, high[here], theta[here])
        new = _step(theta[here], local, low[here], high[here])
        done[here] |= np.abs(new - theta[here]) < TOLERANCE * (1.0 + np.abs(new))
        theta[here] = new
        if done.all():
            break
        if 2 * np.count_nonzero(done[here]) > len(here):
            left = np.flatnonzero(~done[here])
            matched, here = matched.chosen(left), here[left]
    return theta, done


def _step(theta: Array, local: PersonDerivatives, low: Array, high: Array) -> Array:
    new = theta - local.slope / np.minimum(local.curvature, -np.finfo(float).tiny)
    return np.where((new >= low) & (new <= high), new, 0.5 * (low + high))


def slope_and_curvature(matched: MatchedResponses, theta: Array) -> tuple[Array, Array]:
    """First and second derivative of log L at each person's θ, (N,)."""
    slope, curvature = np.zeros((2, matched.n_persons))
    for person, item, answer in matched.answers:
        s, ds = item.answered(theta[person], answer)
        slope += np.bincount(person, s, matched.n_persons)
        curvature += np.bincount(person, ds, matched.n_persons)
    return slope, curvature


def information_and_bias(matched: MatchedResponses, theta: Array) -> tuple[Array, Array]:
    """Fisher information and Warm's J of each person's items at the person's θ, (N,)."""
    information, bias = np.zeros((2, matched.n_persons))
    for person, item, _ in matched.answers:
        curve = item.curve(theta[person])
        information += np.bincount(person, curve.information, matched.n_persons)
        bias += np.bincount(person, curve.warm_bias, matched.n_persons)
    return information, bias


def log_likelihood(matched: MatchedResponses, theta: Array) -> Array:
    """log L at each person's θ, (N,); for finite θ, where no answer is impossible."""
    total = np.zeros(matched.n_persons)
    for person, item, answer in matched.answers:
        p = item.curve(theta[person]).p[np.arange(len(person)), answer]
        total += np.bincount(person, np.log(p), matched.n_persons)
    return total
