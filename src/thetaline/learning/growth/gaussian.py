"""The posterior of a block of learners when every cell's likelihood is replaced by a normal one.

With site precisions S and natural means b in a (B, W, T) table the model is linear and normal.  The topics' deviations
are independent given the weeks, so that they are eliminated one by one and only a D × D matrix a learner is factored
(Henderson's equations; Laird & Ware 1982).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thetaline.learning._types import Array
from thetaline.learning.growth.model import WeekPrior


class Sites(NamedTuple):
    """exp(−S θ² / 2 + b θ) in place of each cell's likelihood, (C,) each; θ on the scale of the bank."""

    precision: Array
    shift: Array


@dataclass(frozen=True, slots=True, eq=False)
class BlockPosterior:
    """Moments of a block: `z` of the weeks' prior, θ of the weeks without its mean, and each topic's deviation / τ."""

    z: Array  # (B, D)
    z_cov: Array  # (B, D, D)
    week: Array  # (B, W)
    week_cov: Array  # (B, W, W)
    topic: Array  # (B, T)
    topic_var: Array  # (B, T)
    cross: Array  # (B, W, T) covariance of θ of the week with the topic's deviation / τ
    precision: Array  # (B, W, W) of the answers about θ of the weeks, topics eliminated
    shift: Array  # (B, W)
    log_normaliser: Array  # (B,) log of the integral over prior and sites, relative to the mean


def posterior(precision: Array, shift: Array, prior: WeekPrior) -> BlockPosterior:
    """Of tables (B, W, T) whose `shift` is relative to the prior's mean."""
    tau = np.full(precision.shape[2], prior.topic_sd)
    tau[0] = 0.0  # answers without a topic
    by_topic, shift_by_topic = precision.sum(axis=1), shift.sum(axis=1)
    diagonal = 1 + tau**2 * by_topic
    scaled = precision * (tau**2 / diagonal)[:, None]
    weeks = np.arange(precision.shape[1])
    reduced = -(scaled @ precision.transpose(0, 2, 1))
    reduced[:, weeks, weeks] += precision.sum(axis=2)
    reduced_shift = shift.sum(axis=2) - np.einsum("bwt,bt->bw", scaled, shift_by_topic)
    z, z_cov, log_det = _solved(reduced, reduced_shift, prior.factor)
    week, week_cov = z @ prior.factor.T, prior.factor @ z_cov @ prior.factor.T
    spread = week_cov @ precision
    topic = tau * (shift_by_topic - np.einsum("bwt,bw->bt", precision, week)) / diagonal
    explained = np.einsum("bwt,bwt->bt", precision, spread)
    quadratic = (tau**2 * shift_by_topic**2 / diagonal).sum(axis=1)
    quadratic += np.einsum("bw,bw->b", reduced_shift, week)
    return BlockPosterior(
        z=z,
        z_cov=z_cov,
        week=week,
        week_cov=week_cov,
        topic=topic,
        topic_var=1 / diagonal + (tau / diagonal) ** 2 * explained,
        cross=-(tau / diagonal)[:, None] * spread,
        precision=reduced,
        shift=reduced_shift,
        log_normaliser=(quadratic - log_det - np.log(diagonal).sum(axis=1)) / 2,
    )


def _solved(precision: Array, shift: Array, factor: Array) -> tuple[Array, Array, Array]:
    """Mean, covariance and log determinant of the precision of z: I + F' S F."""
    matrix = factor.T @ precision @ factor
    each = np.arange(factor.shape[1])
    matrix[:, each, each] += 1.0
    cov = np.linalg.inv(matrix)
    log_det = np.linalg.slogdet(matrix)[1]
    mean = np.einsum("bde,be->bd", cov, shift @ factor)
    return np.asarray(mean), np.asarray(cov), np.asarray(log_det)


def cell_moments(block: BlockPosterior, tau: float) -> tuple[Array, Array]:
    """Mean and variance of θ without its mean in every place of the (B, W, T) table."""
    spread = np.full(block.topic.shape[1], tau)
    spread[0] = 0.0
    mean = block.week[:, :, None] + spread * block.topic[:, None, :]
    diagonal = np.einsum("bww->bw", block.week_cov)
    return mean, diagonal[:, :, None] + 2 * spread * block.cross + (spread**2 * block.topic_var)[:, None, :]
