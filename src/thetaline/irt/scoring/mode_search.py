"""Maxima of a person's objective: bracketed on the person's lattice, then polished by a guarded Newton iteration.

The lattice sees every mode, so that a likelihood with two of them (3PL) gives the higher, from wherever one starts.
"""

from typing import NamedTuple, Protocol

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.scoring.matched_responses import Sheet
from thetaline.irt.scoring.quadrature import Span, spans

TOLERANCE = 1e-10
MAX_STEPS = 60  # a bracket of width 2 is below the tolerance after 35 halvings
MAX_WIDENINGS = 8


class Local(NamedTuple):
    """First and second derivative of an objective at each person's θ, (N,); the second may be approximate."""

    slope: Array
    bend: Array


class Objective(Protocol):
    """What a person's score maximises."""

    def on_nodes(self, sheet: Sheet, who: Index, nodes: Array, log_likelihood: Array) -> Array:
        """Its value at the nodes (n, Q), up to a constant a person; `who` are rows of the whole sheet."""
        ...

    def at(self, sheet: Sheet, who: Index, theta: Array) -> Local:
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


class Range(NamedTuple):
    """Where a search begins, (N,) each; it goes on outside where the objective rises there."""

    low: Array
    high: Array


def modes(sheet: Sheet, objective: Objective, information: Array, first: Range) -> Modes:
    """Maximise for every person; `information` (N,) bounds the bend."""
    low, high = first
    theta, converged = np.zeros(sheet.n_persons), np.zeros(sheet.n_persons, dtype=bool)
    who = np.arange(sheet.n_persons)
    for _ in range(MAX_WIDENINGS):
        outside = []
        for span in spans(information[who], low[who], high[who]):
            there = who[span.who]
            theta[there], converged[there], at_edge = _search(sheet.chosen(there), objective, there, span)
            outside.append(there[at_edge])
        who = np.sort(np.concatenate([*outside, np.empty(0, dtype=np.intp)]))
        if not who.size:
            break
        low, high = low - (high - low), high + (high - low)
    return Modes(theta, converged)


def _search(sheet: Sheet, objective: Objective, who: Index, span: Span) -> tuple[Array, Mask, Mask]:
    nodes = span.nodes
    value = objective.on_nodes(sheet, who, nodes, np.asarray(sheet.one_hot @ sheet.bank.log_prob(nodes)))
    top = value.argmax(axis=1)
    at_edge = (top == 0) | (top == len(nodes) - 1)
    inner = np.clip(top, 1, len(nodes) - 2)
    theta, done = _newton(sheet, objective, who, Bracket(_vertex(value, inner, nodes), nodes[inner], span.h))
    return theta, done & ~at_edge, at_edge


def _vertex(value: Array, top: Index, nodes: Array) -> Array:
    """Top of the parabola through the best node and its neighbours."""
    row = np.arange(len(top))
    left, middle, right = (value[row, top + j] for j in (-1, 0, 1))
    bend = np.minimum(left - 2.0 * middle + right, -np.finfo(float).tiny)
    shift = np.clip(0.5 * (left - right) / bend, -1.0, 1.0)
    return np.asarray(nodes[top] + shift * (nodes[1] - nodes[0]))


def _newton(sheet: Sheet, objective: Objective, who: Index, bracket: Bracket) -> tuple[Array, Mask]:
    """Newton where it stays in the bracket, halving where it does not; the finished leave when they are the most."""
    theta, low, high = bracket.start, bracket.centre - bracket.h, bracket.centre + bracket.h
    done = np.zeros(len(theta), dtype=bool)
    here = np.arange(len(theta))
    for _ in range(MAX_STEPS):
        local = objective.at(sheet, who[here], theta[here])
        rising = local.slope > 0
        low[here], high[here] = np.where(rising, theta[here], low[here]), np.where(rising, high[here], theta[here])
        new = _step(theta[here], local, low[here], high[here])
        done[here] |= np.abs(new - theta[here]) < TOLERANCE * (1.0 + np.abs(new))
        theta[here] = new
        if done.all():
            break
        if 2 * np.count_nonzero(done[here]) > len(here):
            left = np.flatnonzero(~done[here])
            sheet, here = sheet.chosen(left), here[left]
    return theta, done


def _step(theta: Array, local: Local, low: Array, high: Array) -> Array:
    new = theta - local.slope / np.minimum(local.bend, -np.finfo(float).tiny)
    return np.where((new >= low) & (new <= high), new, 0.5 * (low + high))
