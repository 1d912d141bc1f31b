"""Simulated answers for the laws of calibration: plain NumPy, so that our own simulator hides no fault of a fit."""

import numpy as np

from thetaline import irt


def bank(rng, n_items, *, spread=0.3, model="2PL"):
    return irt.Items(ids=range(n_items), model=model, a=rng.lognormal(0, spread, n_items), b=rng.normal(size=n_items))


def answers(rng, items, theta):
    """Categories (N, I) drawn from the bank's probabilities."""
    tables = np.exp(items.log_prob(theta))
    columns = []
    for start, stop in zip(items.offsets[:-1], items.offsets[1:], strict=True):
        steps = np.cumsum(tables[start:stop], axis=0)[:-1]
        columns.append((rng.random(len(theta)) > steps).sum(axis=0))
    return np.stack(columns, axis=1)


def complete(rng, items, n_persons, *, mean=0.0, sd=1.0):
    return irt.Responses.from_matrix(answers(rng, items, rng.normal(mean, sd, n_persons)), items=items.ids)


def some_of(rng, items, n_persons, n_answers, *, theta=None):
    """`n_answers` random items a person, in long form."""
    theta = rng.normal(size=n_persons) if theta is None else theta
    item = np.argsort(rng.random((n_persons, len(items))), axis=1)[:, :n_answers].ravel()
    person = np.repeat(np.arange(n_persons), n_answers)
    return person, item, answers(rng, items, theta)[person, item]


def rmse(estimate, truth):
    return float(np.sqrt(np.mean((np.asarray(estimate) - np.asarray(truth)) ** 2)))
