"""Plateaus: a line that ended some weeks ago, held against one that goes on by what each foretells of the last weeks.

Both are fitted to all but the last two weeks and asked how likely these are; the sites of expectation propagation stand
for the answers, so that neither needs a search of its own.  The share of learners with a plateau is estimated from all
of them (a mixture of two predictions), since of one learner two weeks say little; lines are averaged with the
probability that results, and a learner whose plateau is the likelier is said to have one.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit, logsumexp

from thetaline.learning._types import Array, Index, Mask
from thetaline.learning.growth.cells import Cells
from thetaline.learning.growth.gaussian import BlockPosterior, Sites
from thetaline.learning.growth.model import WeekPrior
from thetaline.learning.growth.propagation import with_sites

HELD_OUT = 2  # weeks
KNOTS = (3, 5, 7)  # weeks before the last one with answers
BEFORE = 3  # weeks with answers that a line up to a knot needs
NO_BENDS = 1  # learners without a plateau that the prior counts for: Beta(1, 1 + NO_BENDS)


class Bend(NamedTuple):
    """Moments of level now and slope of the line up to `knot` weeks from now, (B, 2) and (B, 2, 2), of the plateau."""

    gain: Array  # (B,) log of how much likelier the plateau makes the last weeks than the line
    mean: Array
    covariance: Array


class Mixture(NamedTuple):
    """Lines averaged with plateaus: moments (N, 2), (N, 2, 2), probability of a plateau and which knot is likeliest."""

    mean: Array
    covariance: Array
    probability: Array
    knot: Index


def knots(from_now: Array) -> tuple[float, ...]:
    """Where a plateau might have begun, in weeks from now; none where too few weeks have answers."""
    last = from_now.max()
    return tuple(float(last - back) for back in KNOTS if (from_now <= last - back).sum() >= BEFORE)


def held_out(from_now: Array) -> Mask:
    """(W,) the last weeks."""
    return np.asarray(from_now > from_now.max() - HELD_OUT)


def foretold(cells: Cells, sites: Sites, mean: Array, prior: WeekPrior, last: Mask) -> tuple[Array, BlockPosterior]:
    """Log likelihood (B,) of the `last` weeks given those before, up to a constant, and the posterior of all weeks."""
    whole = with_sites(cells, sites, mean, prior)
    early = ~last[cells.place // cells.shape[2] % cells.shape[1]]
    before = with_sites(cells, Sites(sites.precision * early, sites.shift * early), mean, prior)
    return whole[0] - before[0], whole[1]


def plateau(mean: Array, covariance: Array, knot: float) -> tuple[Array, Array]:
    """Level now and slope from now on, 0, of a line (…, 2) that ended at `knot`: θ stays what it was there."""
    ends = np.array([[1.0, knot], [0.0, 0.0]])
    return mean @ ends.T, ends @ covariance @ ends.T


def averaged_with(mean: Array, covariance: Array, bends: list[Bend]) -> Mixture:
    """Lines (N, 2), (N, 2, 2) and a plateau from each knot, all N learners each."""
    gains = np.stack([bend.gain for bend in bends])
    any_knot = logsumexp(gains, axis=0) - np.log(len(bends))
    probability = expit(logit(share_of_plateaus(any_knot)) + any_knot)
    each = probability * np.exp(gains - logsumexp(gains, axis=0))
    weight = np.vstack([1 - probability, each])
    means = np.stack([mean, *(bend.mean for bend in bends)])
    covariances = np.stack([covariance, *(bend.covariance for bend in bends)])
    centre = np.einsum("kn,knl->nl", weight, means)
    apart = means - centre
    spread = np.einsum("kn,knlm->nlm", weight, covariances + apart[..., :, None] * apart[..., None, :])
    return Mixture(centre, spread, probability, gains.argmax(axis=0))


def share_of_plateaus(gain: Array) -> float:
    """The share π that maximises Π (1 − π + π exp(gain)) under a Beta(1, 1 + NO_BENDS) prior."""

    def loss(share: float) -> float:
        return -float(np.logaddexp(np.log1p(-share), np.log(share) + gain).sum()) - NO_BENDS * float(np.log1p(-share))

    return float(minimize_scalar(loss, bounds=(1e-6, 1 - 1e-6), method="bounded").x)
