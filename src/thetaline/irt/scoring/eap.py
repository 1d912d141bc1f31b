"""EAP: mean and standard deviation of the posterior (Bock & Mislevy, 1982)."""

import numpy as np

from thetaline.irt.derivatives import Array, Index
from thetaline.irt.scoring.lattice import REACH, Span, curvature_bound, log_likelihood, spans
from thetaline.irt.scoring.sheet import Sheet

EMPTY_EDGE = -20.0  # log posterior density at the edge relative to the top: 2e-9
MAX_WIDENINGS = 12


def eap(sheet: Sheet, mean: Array, sd: Array) -> tuple[Array, Array]:
    """θ and se (N,) under the priors N(mean, sd²), (N,) each; persons without answers get their prior."""
    theta, se = mean.copy(), sd.copy()
    who, reach = np.flatnonzero(sheet.n_answers), REACH
    information = 1.0 / sd**2 + curvature_bound(sheet)
    for _ in range(MAX_WIDENINGS):
        cut_off = []
        for span in spans(information[who], (mean - reach * sd)[who], (mean + reach * sd)[who]):
            there = who[span.who]
            theta[there], se[there], clipped = _moments(sheet.chosen(there), span, mean[there], sd[there])
            cut_off.append(there[clipped])
        who, reach = np.concatenate([*cut_off, np.empty(0, dtype=np.intp)]), 2.0 * reach
        if not who.size:
            break
    return theta, se


def _moments(sheet: Sheet, span: Span, mean: Array, sd: Array) -> tuple[Array, Array, Index]:
    nodes = span.nodes
    table = sheet.bank.log_prob(nodes)
    powers = np.column_stack([np.ones_like(nodes), nodes, nodes**2])
    moments, edge = np.empty((sheet.n_persons, 3)), np.empty(sheet.n_persons)

    def work(rows: slice, block: Sheet) -> None:
        log_posterior = log_likelihood(block, table)
        log_posterior -= 0.5 * ((nodes - mean[rows, None]) / sd[rows, None]) ** 2
        log_posterior -= log_posterior.max(axis=1, keepdims=True)
        edge[rows] = np.maximum(log_posterior[:, 0], log_posterior[:, -1])
        moments[rows] = np.exp(log_posterior, out=log_posterior) @ powers

    sheet.for_blocks(len(nodes), work)
    theta = moments[:, 1] / moments[:, 0]
    variance = moments[:, 2] / moments[:, 0] - theta**2
    return theta, np.sqrt(variance), np.flatnonzero(edge > EMPTY_EDGE)
