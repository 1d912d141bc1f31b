"""Derivatives of a person's log-likelihood at the person's own θ, summed over the answers."""

from typing import NamedTuple

import numpy as np

from thetaline.irt.derivatives import Array
from thetaline.irt.scoring.sheet import Sheet


class LikelihoodAt(NamedTuple):
    """Sums over each person's answers, (N,)."""

    slope: Array  # ∂ log L / ∂θ
    bend: Array  # ∂² log L / ∂θ²
    information: Array  # Fisher information
    warm_bias: Array  # J of Warm (1989)


def likelihood_at(sheet: Sheet, theta: Array) -> LikelihoodAt:
    """Evaluate every answer at its person's θ (N,)."""
    part_of, within = sheet.home
    part = part_of[sheet.item]
    sums = np.zeros((4, sheet.n_persons))
    for number, alike_items in enumerate(sheet.parts):
        mine = np.flatnonzero(part == number) if len(sheet.parts) > 1 else slice(None)
        person, answer = sheet.person[mine], sheet.answer[mine]
        curve = alike_items.at(theta[person], within[sheet.item[mine]])
        row = np.arange(len(person))
        terms = (curve.s[row, answer], curve.ds[row, answer], curve.information, curve.warm_bias)
        sums += [np.bincount(person, term, sheet.n_persons) for term in terms]
    return LikelihoodAt(*sums)
