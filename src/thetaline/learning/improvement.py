"""I_t, the improvement index: growth between two windows, weighed by how well it is known."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from thetaline.learning._types import Array, Int32s, Mask
from thetaline.learning.attempts import pair_key, share

GROWTH_SD = 0.5  # θ: how much learners differ in what they gain within two weeks
ACCURACY_SLOPE = 0.2  # share right per θ, on a typical response curve
ACCURACY_GROWTH_SD = GROWTH_SD * ACCURACY_SLOPE
FULL_ANSWERS = 30
MIN_ANSWERS = 5


def precision(se_change: Array, growth_sd: float = GROWTH_SD) -> Array:
    """Reliability of a change with standard error `se_change`: 1 / (1 + (se_change / growth_sd)²), in (0, 1).

    Kelley's (1923) regression weight of an observed on a true score, here of growth N(0, growth_sd²) seen with that
    error. Strictly falling; about 0.11, 0.43, 0.71, 0.88 for windows of 5, 30, 100, 300 answers.
    """
    return 1 / (1 + np.square(np.asarray(se_change, float) / growth_sd))


def content_difference(learner: Int32s, topic_no: Int32s, recent: Mask, n_learners: int) -> Array:
    """(n_learners,) Σ_t (p_t − q_t)², p and q the shares of topic t in the answers of the recent and the last window.

    Of answers (M,), `recent` or of the window before; topic 0 is none and sides with no topic. Where a learner's topics
    lie θ + N(0, τ²), independent, a change between the windows is this times τ² wide without any growth: 0 for the same
    mixture, 2 / T for T topics each that have none in common.
    """
    n = np.stack([np.bincount(learner[window], minlength=n_learners) for window in (~recent, recent)])
    weight = np.where(recent, 1.0, -1.0) / n[recent.astype(np.intp), learner]
    named = topic_no > 0
    key, row = np.unique(pair_key(learner[named], topic_no[named]), return_inverse=True)
    of_topic = np.bincount(row, weight[named], key.size)
    both = (n > 0).all(axis=0)
    return np.asarray(np.where(both, np.bincount(key >> 32, np.square(of_topic), n_learners), 0.0))


def improvement_index(change: Array, se_change: Array, n_recent: Array, *, growth_sd: float = GROWTH_SD) -> Array:
    """I_t = clamp(change · min(1, n / 30) · precision, −1, 1); NaN where the change is unknown or n < 5.

    `change` is θ_recent − θ_prev, each scored from its own window's answers without a prior (WLE), so that it is
    unbiased also where the windows differ in length; `se_change` is √(se²_recent + se²_prev + τ² · content_difference).
    The product of change and precision is then the posterior mean of the growth.
    """
    weight = np.minimum(1.0, np.asarray(n_recent, float) / FULL_ANSWERS)
    index = np.clip(change * weight * precision(se_change, growth_sd), -1.0, 1.0)
    return np.where(np.asarray(n_recent) >= MIN_ANSWERS, index, np.nan)


def accuracy_change(right: Array, answered: Array, right_before: Array, answered_before: Array) -> tuple[Array, Array]:
    """Difference of the shares right and its standard error; NaN where a window has no answer.

    The error uses shares with one right and one wrong answer added a window (Agresti & Caffo 2000), so that a short
    perfect window is not taken for an exact one.
    """
    change = share(right, answered) - share(right_before, answered_before)
    variance = _added_variance(right, answered) + _added_variance(right_before, answered_before)
    return change, np.where(np.isnan(change), np.nan, np.sqrt(variance))


def _added_variance(right: Array, answered: Array) -> Array:
    added = (right + 1) / (answered + 2)
    return added * (1 - added) / (answered + 2)


def reliable_change(change: Array, se_change: Array, *, level: float = 0.05) -> NDArray[np.int8]:
    """1 where a learner reliably grew, −1 fell, 0 neither: |change| / se beyond the two-sided normal quantile.

    Jacobson & Truax (1991), with the spread of topics in `se_change` beside the error of measurement. Without true
    growth the share of ±1 is `level` (less below 20 answers a window, where the standard error of a WLE is on the safe
    side).
    """
    z = np.nan_to_num(np.asarray(change, float) / np.asarray(se_change, float))
    limit = float(ndtri(1 - level / 2))
    return np.asarray(np.sign(z) * (np.abs(z) > limit), np.int8)
