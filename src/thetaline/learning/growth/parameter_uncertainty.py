"""Lines of learners when the model's parameters are known from few learners only.

With thirty learners the spread of slopes is hardly known, and intervals at its best value are too narrow.  So lines are
averaged over draws of the parameters from a t around the maximum, weighted by how likely each makes the answers
(importance sampling; Gelman et al. 2013, 10.4).  With many learners it would change nothing and is left out.
"""

from typing import NamedTuple

import numpy as np

from thetaline.learning._types import Array
from thetaline.learning.growth.maximum import LogPosterior, Maximum

MOST_LEARNERS = 1_000
EXACT_LEARNERS = 100  # from more of them all draws are so near that one normal stand-in for the answers serves all
FEWEST_DRAWS, MOST_DRAWS = 24, 48
DRAWN_LEARNERS = 10_000  # draws times learners, within these bounds
DEGREES = 8
FURTHEST = 4.0  # prior standard deviations: what lies beyond has no weight and, wide as it is, costs the most
SEED = 20_251  # the draws are a fixed design, so that equal answers give equal lines


class Averaged(NamedTuple):
    """Moments of the lines, and of phi, over its posterior."""

    mean: Array  # (N, 2)
    covariance: Array  # (N, 2, 2)
    phi: Array
    phi_covariance: Array
    effective_draws: float


def averaged(target: LogPosterior, found: Maximum) -> Averaged:
    """Over draws that are each evaluated on all learners; fewer where more learners tell the parameters better."""
    n_draws = int(np.clip(DRAWN_LEARNERS // target.n_learners, FEWEST_DRAWS, MOST_DRAWS))
    draws, log_weight = _draws(found, n_draws // 2)
    likely = target.prior_distance(draws) < FURTHEST
    if not likely.any():  # the answers contradict the prior: the maximum stands alone, as one effective draw
        draws, log_weight, likely = found.phi[None], np.zeros(1), np.ones(1, bool)
    draws, log_weight = draws[likely], log_weight[likely]
    lines_at = target.lines if target.n_learners <= EXACT_LEARNERS else target.lines_near
    lines = [lines_at(phi) for phi in draws]
    log_weight += [each.log_likelihood + target.log_prior(phi)[0] for phi, each in zip(draws, lines, strict=True)]
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    mean, covariance = _mixed(weight, np.array([x.mean for x in lines]), np.array([x.covariance for x in lines]))
    phi_mean = weight @ draws
    spread = draws - phi_mean
    return Averaged(mean, covariance, phi_mean, (spread.T * weight) @ spread, float(1 / np.square(weight).sum()))


def _draws(found: Maximum, n_pairs: int) -> tuple[Array, Array]:
    """Draws (R, P) in pairs on either side of the maximum, and minus their log density up to a constant."""
    rng, size = np.random.default_rng(SEED), found.phi.size
    half = rng.standard_normal((n_pairs, size))
    half *= np.sqrt(DEGREES / rng.chisquare(DEGREES, n_pairs))[:, None]
    unit = np.vstack([half, -half])
    log_weight = (DEGREES + size) / 2 * np.log1p(np.square(unit).sum(axis=1) / DEGREES)
    return found.phi + unit @ np.linalg.cholesky(found.covariance).T, log_weight


def _mixed(weight: Array, means: Array, covariances: Array) -> tuple[Array, Array]:
    mean = np.einsum("r,rnl->nl", weight, means)
    apart = means - mean
    return mean, np.einsum("r,rnlm->nlm", weight, covariances + apart[..., :, None] * apart[..., None, :])
