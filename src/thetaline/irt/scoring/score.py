"""Score persons on items whose parameters are taken as known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._arguments import PersonPrior, check_kinds, normal_prior
from thetaline.irt._types import Array, Categories, Ids, Index, Mask
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses
from thetaline.irt.scoring.eap import eap
from thetaline.irt.scoring.map import maximum_a_posteriori
from thetaline.irt.scoring.matched_responses import MatchedResponses, match, refuse_other_matrix
from thetaline.irt.scoring.mle import maximum_likelihood
from thetaline.irt.scoring.result import Scores, ScoreStatus
from thetaline.irt.scoring.wle import weighted_likelihood

Found = tuple[Array, Array, Mask]


def score(
    responses: Responses,
    items: Items,
    *,
    method: str = "EAP",
    prior: PersonPrior = (0.0, 1.0),
) -> Scores:
    """Estimate θ and its standard error for every person of `responses`.

    `method` is "EAP" (posterior mean and sd), "MAP" and "MLE" (se from the curvature at the maximum, the observed
    information) or "WLE" (se from the Fisher information, as Warm has it).  `prior` is the mean and sd of a normal, one
    for all or one a person: a Series or a mapping goes by person id, an array (N,) by `responses.person_ids`; MLE and
    WLE take none.  Without answers EAP and MAP are the prior, MLE and WLE NaN;
    where the likelihood has no maximum MLE is ±inf with se inf; `Scores.notes` names these persons.  A person's score
    depends on that person's answers and prior alone.

    Raises ItemsError for answered items that the bank lacks and where both have only positions for ids and differ in
    number, ResponsesError for answers beyond an item's categories, InputError for an unknown method or a prior that is
    none.  Warns (ModelWarning) where nobody gave the lowest category of any item of more than two and the codes are not
    declared: they may begin elsewhere than the bank's.
    """
    check_kinds(responses=(responses, Responses), items=(items, Items))
    name = str(method).upper()
    if name not in SCORERS:
        raise InputError(f"unknown scoring method {method!r}; known are {', '.join(SCORERS)}")
    mean, sd = prior_columns(prior, responses.person_ids)
    refuse_other_matrix(responses, items)
    matched = match(responses, items)
    bayesian = name in ("EAP", "MAP")
    theta, se = (mean.copy(), sd.copy()) if bayesian else _unknown(responses.n_persons)
    return Scores(
        ids=responses.person_ids,
        theta=theta,
        se=se,
        method=name,
        status=_fill(theta, se, matched, lambda block, rows: SCORERS[name](block, mean[rows], sd[rows])),
        n_answers=matched.n_answers,
        counts=responses.counts,
        prior=(mean, sd) if bayesian else None,
    )


def _fill(
    theta: Array, se: Array, matched: MatchedResponses, scorer: Callable[[MatchedResponses, Index], Found]
) -> Categories:
    """Score block by block into `theta` and `se`, leaving those alone of whom nothing is known; the status (N,)."""
    status = np.full(matched.n_persons, ScoreStatus.NO_ANSWERS, dtype=np.uint8)

    def work(rows: slice, block: MatchedResponses) -> None:
        informed = np.flatnonzero(block.curvature_bound > 0.0)
        if informed.size:
            who = rows.start + informed
            theta[who], se[who], done = scorer(block.chosen(informed), who)
            status[who] = _status(theta[who], done)

    matched.for_blocks(work)
    return status


SCORERS: dict[str, Callable[[MatchedResponses, Array, Array], Found]] = {
    "EAP": eap,
    "MAP": maximum_a_posteriori,
    "MLE": lambda matched, _mean, _sd: maximum_likelihood(matched),
    "WLE": lambda matched, _mean, _sd: weighted_likelihood(matched),
}


def _unknown(n_persons: int) -> tuple[Array, Array]:
    return np.full(n_persons, np.nan), np.full(n_persons, np.inf)


def _status(theta: Array, done: Mask) -> Index:
    status = np.where(done, ScoreStatus.OK, ScoreStatus.NOT_CONVERGED)
    status = np.where(theta == -np.inf, ScoreStatus.MINUS_INFINITY, status)
    return np.where(theta == np.inf, ScoreStatus.PLUS_INFINITY, status)


def prior_columns(prior: PersonPrior, person_ids: Ids) -> tuple[Array, Array]:
    """Mean and sd as (N,) columns; raises InputError for what is no prior and for persons without one."""
    n_persons = len(person_ids)
    mean, sd = normal_prior(prior, person_ids)
    for name, part in (("mean", mean), ("sd", sd)):
        if part.shape not in ((), (n_persons,)):
            raise InputError(f"the prior's {name} has the shape {part.shape}; one number or ({n_persons},) is needed")
    return np.broadcast_to(mean, n_persons).copy(), np.broadcast_to(sd, n_persons).copy()
