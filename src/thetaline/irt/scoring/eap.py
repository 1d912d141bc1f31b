"""EAP: mean and standard deviation of the posterior (Bock & Mislevy, 1982)."""

import numpy as np

from thetaline.irt._types import Array, Mask
from thetaline.irt.scoring.matched_responses import MatchedResponses
from thetaline.irt.scoring.quadrature import REACH, NodeRange, node_ranges

EMPTY_EDGE = -17.5  # log posterior density at the edge relative to the top: 3e-8
MAX_WIDENINGS = 12


def eap(matched: MatchedResponses, mean: Array, sd: Array) -> tuple[Array, Array, Mask]:
    """θ and se (N,) under the priors N(mean, sd²), (N,) each, and whether the nodes covered the posterior."""
    theta, se = np.empty((2, matched.n_persons))
    covered = np.zeros(matched.n_persons, dtype=bool)
    who, reach = np.arange(matched.n_persons), REACH
    information = 1.0 / sd**2 + matched.curvature_bound
    for _ in range(MAX_WIDENINGS):
        for node_range in node_ranges(information[who], (mean - reach * sd)[who], (mean + reach * sd)[who]):
            there = who[node_range.who]
            theta[there], se[there], covered[there] = _moments(
                matched.chosen(there), node_range, mean[there], sd[there]
            )
        who, reach = np.flatnonzero(~covered), 2.0 * reach
        if not who.size:
            break
    return theta, se, covered


def _moments(matched: MatchedResponses, node_range: NodeRange, mean: Array, sd: Array) -> tuple[Array, Array, Mask]:
    nodes = node_range.nodes
    log_posterior = log_posteriors(matched, nodes, mean, sd)
    log_posterior -= log_posterior.max(axis=1, keepdims=True)
    covered = np.maximum(log_posterior[:, 0], log_posterior[:, -1]) < EMPTY_EDGE
    weights = np.exp(log_posterior, out=log_posterior)
    centre = nodes[len(nodes) // 2]
    away = nodes - centre  # far from 0 the squares of the nodes themselves would swamp a small variance
    total, first, second = (weights @ np.column_stack([np.ones_like(away), away, away**2])).T
    return centre + first / total, np.sqrt(second / total - (first / total) ** 2), covered


def log_posteriors(matched: MatchedResponses, nodes: Array, mean: Array, sd: Array) -> Array:
    """Log posterior density at the nodes (N, Q), up to a constant a person."""
    out = np.asarray(matched.one_hot @ matched.bank.log_prob(nodes))
    if np.ptp(mean) == 0.0 and np.ptp(sd) == 0.0:
        mean, sd = mean[:1], sd[:1]
    out -= 0.5 * ((nodes - mean[:, None]) / sd[:, None]) ** 2
    return out
