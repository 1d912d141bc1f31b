"""A calibration of simulated answers that the laws of fit share, and answers and items put in place of its own."""

from dataclasses import replace
from functools import cache

import numpy as np

from thetaline import irt


def bank(rng: np.random.Generator, n: int = 12) -> irt.Items:
    return irt.Items(ids=range(n), model="2PL", a=rng.lognormal(0, 0.25, n), b=rng.normal(0, 0.8, n))


def graded_bank(rng: np.random.Generator, n: int = 10) -> irt.Items:
    return irt.Items(
        ids=range(n), model="GRM", a=rng.lognormal(0.2, 0.2, n), b=rng.normal(0, 0.5, (n, 1)) + np.array([-1, 0, 1.2])
    )


@cache
def calibrated() -> tuple[irt.Responses, irt.Fit]:
    """1,500 persons, 12 items of the 2PL, all answered."""
    rng = np.random.default_rng(11)
    responses = irt.simulate(bank(rng), rng.normal(size=1500), rng)
    return responses, irt.calibrate(responses)


def with_items(items: irt.Items) -> irt.Fit:
    """A calibration that found exactly these items, none of them an anchor."""
    _, fit = calibrated()
    return replace(fit, items=items, anchored=np.zeros(len(items), dtype=bool))


def with_answers(responses: irt.Responses, answer: np.ndarray) -> irt.Responses:
    """The same cells, answered otherwise."""
    return irt.Responses(
        responses.person_ids, responses.item_ids, responses.indptr, responses.item, answer, responses.counts
    )


def without(responses: irt.Responses, gone: np.ndarray) -> irt.Responses:
    """The same persons with some answers taken out."""
    indptr = np.concatenate([[0], np.cumsum(np.bincount(responses.person[~gone], minlength=responses.n_persons))])
    item, answer = responses.item[~gone], responses.answer[~gone]
    return irt.Responses(responses.person_ids, responses.item_ids, indptr, item, answer, responses.counts)
