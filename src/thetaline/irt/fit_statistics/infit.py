"""Infit and outfit: mean squares of residuals, with weights and without (Wright & Masters 1982, ch. 5)."""

from typing import NamedTuple

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.fit_statistics.residuals import ItemAnswers

# Floors and caps of the R package mirt, needed where the model is all but certain: one answer with a variance of 1e-9
# would otherwise decide the outfit of its item alone.
LEAST_VARIANCE = np.sqrt(1e-5)
LARGEST_SPREAD = 1.4142


class MeanSquare(NamedTuple):
    """A mean square, 1 under the model, and its Wilson–Hilferty z."""

    value: float
    z: float


def infit_and_outfit(answers: ItemAnswers, counts: Array) -> tuple[MeanSquare, MeanSquare]:
    """Infit Σ r² / Σ W and outfit mean(r² / W) of one item: r = x − E, W = Var x at θ; NaN if unanswered."""
    n = float(counts.sum())
    if n == 0:
        return MeanSquare(np.nan, np.nan), MeanSquare(np.nan, np.nan)
    mean, variance, fourth = answers.central_moments()
    variance = np.maximum(variance, LEAST_VARIANCE)
    squared = np.square(answers.answer - mean)
    information = counts @ variance
    infit = _standardised(
        float(counts @ squared / information), float(counts @ (fourth - variance**2) / information**2)
    )
    spread = counts @ (fourth / variance**2) / n**2 - 1.0 / n
    return infit, _standardised(float(counts @ (squared / variance) / n), float(spread))


def _standardised(mean_square: float, variance: float) -> MeanSquare:
    """Wilson–Hilferty: the cube root of a mean square is nearly normal."""
    if variance <= 0.0:
        return MeanSquare(float(mean_square), np.nan)
    spread = min(float(np.sqrt(variance)), LARGEST_SPREAD)
    return MeanSquare(float(mean_square), float((np.cbrt(mean_square) - 1.0) * 3.0 / spread + spread / 3.0))
