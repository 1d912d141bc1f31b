"""Derivatives of a person's log-likelihood at the person's own θ, summed over the answers."""

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.scoring.matched_responses import Sheet


def slope_and_bend(sheet: Sheet, theta: Array) -> tuple[Array, Array]:
    """First and second derivative of log L at each person's θ, (N,)."""
    slope, bend = np.zeros((2, sheet.n_persons))
    for person, item, answer in sheet.answers:
        s, ds = item.answered(theta[person], answer)
        slope += np.bincount(person, s, sheet.n_persons)
        bend += np.bincount(person, ds, sheet.n_persons)
    return slope, bend


def information_and_bias(sheet: Sheet, theta: Array) -> tuple[Array, Array]:
    """Fisher information and Warm's J of each person's items at the person's θ, (N,)."""
    information, bias = np.zeros((2, sheet.n_persons))
    for person, item, _ in sheet.answers:
        curve = item.curve(theta[person])
        information += np.bincount(person, curve.information, sheet.n_persons)
        bias += np.bincount(person, curve.warm_bias, sheet.n_persons)
    return information, bias


def log_likelihood(sheet: Sheet, theta: Array) -> Array:
    """log L at each person's θ, (N,); for finite θ, where no answer is impossible."""
    total = np.zeros(sheet.n_persons)
    for person, item, answer in sheet.answers:
        p = item.curve(theta[person]).p[np.arange(len(person)), answer]
        total += np.bincount(person, np.log(p), sheet.n_persons)
    return total
