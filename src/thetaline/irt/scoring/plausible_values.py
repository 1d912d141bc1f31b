"""Plausible values: draws from each person's posterior, for statements about groups (Mislevy, 1991)."""

from __future__ import annotations

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._arguments import PersonPrior, check_kinds, check_whole, generator
from thetaline.irt._log_space import softmax
from thetaline.irt._types import Array
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses
from thetaline.irt.scoring.eap import log_posteriors
from thetaline.irt.scoring.matched_responses import MatchedResponses, match
from thetaline.irt.scoring.quadrature import NodeRange, node_ranges
from thetaline.irt.scoring.score import prior_columns, score

SPREAD = 8.0  # posterior standard deviations on either side of the mean
FINER = 64.0  # of the information: nodes 8 times as close, so that rounding to them adds 0.2 % to the variance at most


def plausible_values(
    responses: Responses,
    items: Items,
    rng: np.random.Generator | int,
    *,
    n: int = 5,
    prior: PersonPrior = (0.0, 1.0),
) -> Array:
    """Draw `n` values a person from the posterior under the prior N(mean, sd²): (N, n).

    Persons without answers are drawn from their prior.  Raises what `score` raises, and InputError for n < 1.
    """
    check_kinds(responses=(responses, Responses), items=(items, Items))
    check_whole("n", n)
    if n < 1:
        raise InputError(f"at least one value a person is drawn, not n = {n}")
    rng = generator(rng)
    estimate = score(responses, items, prior=prior)
    mean, sd = prior_columns(prior, responses.n_persons)
    drawn = np.empty((responses.n_persons, n))
    matched = match(responses, items)
    low, high = estimate.theta - SPREAD * estimate.se, estimate.theta + SPREAD * estimate.se
    for rows in matched.blocks():
        block = matched.persons(rows.start, rows.stop)
        information = FINER * (1.0 / sd[rows] ** 2 + block.curvature_bound)
        for node_range in node_ranges(information, low[rows], high[rows]):
            who = rows.start + node_range.who
            drawn[who] = _draw(
                block.chosen(node_range.who), node_range, (mean[who], sd[who]), rng.random((2, len(who), n))
            )
    return drawn


def _draw(matched: MatchedResponses, node_range: NodeRange, prior: tuple[Array, Array], uniform: Array) -> Array:
    """Draw a node by its posterior weight, then a place in the cell around it."""
    nodes = node_range.nodes
    log_weight = log_posteriors(matched, nodes, *prior)
    reached = np.cumsum(softmax(log_weight), axis=1)
    which = [(reached < u[:, None] * reached[:, -1:]).sum(axis=1) for u in uniform[0].T]
    return np.asarray(nodes[np.stack(which, axis=1)] + node_range.h * (uniform[1] - 0.5))
