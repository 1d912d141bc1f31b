"""Plausible values: draws from each person's posterior, for statements about groups (Mislevy, 1991)."""

from __future__ import annotations

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._arguments import PersonPrior, check_kinds, check_whole, generator
from thetaline.irt._log_space import softmax
from thetaline.irt._types import Array, Index
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
    """Draw `n` values a person from the posterior under the prior N(mean, sd²), given as to `score`: (N, n).

    Where rows are patterns that `counts` persons share, every one of those has draws of their own: (Σ counts, n), the
    persons of a pattern one after the other, in the order of the responses; `np.repeat(responses.person_ids, counts)`
    says whose.  Persons without answers are drawn from their prior.  Raises what `score` raises, and InputError for
    n < 1 and for counts that are no numbers of persons.
    """
    check_kinds(responses=(responses, Responses), items=(items, Items))
    check_whole("n", n)
    if n < 1:
        raise InputError(f"at least one value a person is drawn, not n = {n}")
    rng, pattern = generator(rng), np.repeat(np.arange(responses.n_persons), _persons_a_row(responses.counts))
    estimate = score(responses, items, prior=prior)
    theta, se = estimate.theta[pattern], estimate.se[pattern]
    mean, sd = (column[pattern] for column in prior_columns(prior, responses.person_ids))
    matched, drawn = match(responses, items).chosen(pattern), np.empty((len(pattern), n))
    for rows in matched.blocks():
        block = matched.persons(rows.start, rows.stop)
        information = FINER * (1.0 / sd[rows] ** 2 + block.curvature_bound)
        for node_range in node_ranges(information, (theta - SPREAD * se)[rows], (theta + SPREAD * se)[rows]):
            who = rows.start + node_range.who
            drawn[who] = _draw(
                block.chosen(node_range.who), node_range, (mean[who], sd[who]), rng.random((2, len(who), n))
            )
    return drawn


def _persons_a_row(counts: Array) -> Index:
    """How many persons a row stands for, (N,); raises InputError where that is no whole number."""
    broken = np.flatnonzero(counts != np.floor(counts))
    if broken.size:
        raise InputError(
            f"plausible values are drawn for persons, but row {broken[0]} stands for {counts[broken[0]]:g} of them; "
            "give whole counts"
        )
    return counts.astype(np.intp)


def _draw(matched: MatchedResponses, node_range: NodeRange, prior: tuple[Array, Array], uniform: Array) -> Array:
    """Draw a node by its posterior weight, then a place in the cell around it."""
    nodes = node_range.nodes
    log_weight = log_posteriors(matched, nodes, *prior)
    reached = np.cumsum(softmax(log_weight), axis=1)
    which = [(reached < u[:, None] * reached[:, -1:]).sum(axis=1) for u in uniform[0].T]
    return np.asarray(nodes[np.stack(which, axis=1)] + node_range.h * (uniform[1] - 0.5))
