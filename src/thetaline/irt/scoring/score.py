"""Score persons on items whose parameters are taken as known."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from thetaline.errors import InputError
from thetaline.irt._types import Array, Categories, Index, Mask
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses
from thetaline.irt.scoring.eap import eap
from thetaline.irt.scoring.map import maximum_a_posteriori
from thetaline.irt.scoring.matched_responses import Sheet, match
from thetaline.irt.scoring.mle import maximum_likelihood
from thetaline.irt.scoring.prior import prior_columns
from thetaline.irt.scoring.result import Scores, ScoreStatus
from thetaline.irt.scoring.wle import weighted_likelihood

Found = tuple[Array, Array, Mask]


def score(
    responses: Responses,
    items: Items,
    *,
    method: str = "EAP",
    prior: tuple[ArrayLike, ArrayLike] = (0.0, 1.0),
) -> Scores:
    """Estimate θ and its standard error for every person of `responses`.

    `method` is "EAP" (posterior mean and sd), "MAP" and "MLE" (se from the bend at the maximum, the observed
    information) or "WLE" (se from the Fisher information, as Warm has it).  `prior` is the mean and sd of a normal, one
    for all or (N,) one a person; MLE and WLE take none.  Without answers EAP and MAP are the prior, MLE and WLE NaN;
    where the likelihood has no maximum MLE is ±inf with se inf; `Scores.notes` names these persons.  A person's score
    depends on that person's answers and prior alone.

    Raises ItemsError for answered items that the bank lacks, ResponsesError for answers beyond an item's categories,
    InputError for an unknown method or a prior that is none.
    """
    name = str(method).upper()
    if name not in SCORERS:
        raise InputError(f"unknown scoring method {method!r}; known are {', '.join(SCORERS)}")
    mean, sd = prior_columns(prior, responses.n_persons)
    sheet = match(responses, items)
    bayesian = name in ("EAP", "MAP")
    theta, se = (mean.copy(), sd.copy()) if bayesian else _unknown(responses.n_persons)
    return Scores(
        ids=responses.person_ids,
        theta=theta,
        se=se,
        method=name,
        status=_fill(theta, se, sheet, lambda block, rows: SCORERS[name](block, mean[rows], sd[rows])),
        n_answers=sheet.n_answers,
        counts=responses.counts,
        prior=(mean, sd) if bayesian else None,
    )


def _fill(theta: Array, se: Array, sheet: Sheet, scorer: Callable[[Sheet, Index], Found]) -> Categories:
    """Score block by block into `theta` and `se`, leaving those alone of whom nothing is known; the status (N,)."""
    status = np.full(sheet.n_persons, ScoreStatus.NO_ANSWERS, dtype=np.uint8)

    def work(rows: slice, block: Sheet) -> None:
        informed = np.flatnonzero(block.curvature_bound > 0.0)
        if informed.size:
            who = rows.start + informed
            theta[who], se[who], done = scorer(block.chosen(informed), who)
            status[who] = _status(theta[who], done)

    sheet.for_blocks(work)
    return status


SCORERS: dict[str, Callable[[Sheet, Array, Array], Found]] = {
    "EAP": eap,
    "MAP": maximum_a_posteriori,
    "MLE": lambda sheet, _mean, _sd: maximum_likelihood(sheet),
    "WLE": lambda sheet, _mean, _sd: weighted_likelihood(sheet),
}


def _unknown(n_persons: int) -> tuple[Array, Array]:
    return np.full(n_persons, np.nan), np.full(n_persons, np.inf)


def _status(theta: Array, done: Mask) -> Index:
    status = np.where(done, ScoreStatus.OK, ScoreStatus.NOT_CONVERGED)
    status = np.where(theta == -np.inf, ScoreStatus.MINUS_INFINITY, status)
    return np.where(theta == np.inf, ScoreStatus.PLUS_INFINITY, status)
