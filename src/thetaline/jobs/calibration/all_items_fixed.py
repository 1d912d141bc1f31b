"""Answers to fixed anchors alone, too few of them to tell a population: only abilities are estimated."""

import numpy as np
from scipy.special import logsumexp

from thetaline import irt
from thetaline.jobs.calibration.engine import (
    AbilityEstimates,
    CalibrationReply,
    CalibrationRequest,
    FitReport,
    ItemEstimates,
    Linking,
)

STATUS = "nothing to estimate: too few answers for a population, learners are taken to be N(0, 1)"
FEWEST_PERSONS, FEWEST_ITEMS = 20, 3  # for the mean and the sd of a population
NODES = np.linspace(-6.0, 6.0, 121)


def reply_with_fixed_items(
    request: CalibrationRequest, responses: irt.Responses, bank: irt.Items, *, engine: str, method: str
) -> CalibrationReply:
    """The anchors unchanged, and EAP under N(0, 1), as the status says; ids of `bank` are positions in the request."""
    scores = irt.score(responses, bank, method="EAP")
    log_likelihood = marginal_log_likelihood(responses, bank)
    parameters = {"a": bank.a, "b": bank.b, "c": bank.c, "d": bank.d}
    names = request.observations
    return CalibrationReply(
        fit=FitReport(
            status=STATUS,
            converged=True,
            cycles=0,
            log_likelihood=log_likelihood,
            aic=-2.0 * log_likelihood,
            bic=-2.0 * log_likelihood,
            engine=engine,
        ),
        items=ItemEstimates(
            item_ids=names.item_ids[bank.ids.astype(np.intp)],
            parameters={name: values for name, values in parameters.items() if np.isfinite(values).any()},
            se={},
        ),
        abilities=AbilityEstimates(
            user_ids=names.user_ids[scores.ids.astype(np.intp)], theta=scores.theta, se=scores.se
        ),
        linking=Linking(A=1.0, B=0.0, n_anchors_used=len(bank), method=method, dropped={}),
        population=(0.0, 1.0),
    )


def marginal_log_likelihood(responses: irt.Responses, bank: irt.Items) -> float:
    """Σ over persons of log ∫ P(answers | θ) φ(θ) dθ, by the trapezoidal rule on ±6 (error below 1e-8 a person)."""
    place = bank.positions(responses.item_ids.tolist())
    rows = bank.offsets[place[responses.item]] + responses.answer
    by_answer = bank.log_prob(NODES)[rows]
    density = -0.5 * NODES**2 - np.log(np.sqrt(2 * np.pi)) + np.log(NODES[1] - NODES[0])
    by_person = np.add.reduceat(by_answer, responses.indptr[:-1], axis=0) + density
    return float(logsumexp(by_person, axis=1).sum())
