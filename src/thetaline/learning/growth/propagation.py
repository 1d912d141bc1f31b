"""Expectation propagation: the normal sites that give every cell the mean and the variance of its exact likelihood.

Minka (2001); for cells of right and wrong answers its posterior is the most accurate of the usual approximations
(Kuss & Rasmussen 2005).  The moments of a cell, one-dimensional, are computed by the trapezoidal rule on
equally spaced nodes.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thetaline.irt.items import Items
from thetaline.learning._types import Array
from thetaline.learning.growth.cells import Cells
from thetaline.learning.growth.gaussian import BlockPosterior, Sites, cell_moments, posterior
from thetaline.learning.growth.model import WeekPrior

MAX_SWEEPS = 40
SWEEP_TOLERANCE = 1e-4  # posterior standard deviations
COARSEST = 0.5
FLAT = 1e-12  # information of items without a slope
STEP_SD = 1.2
REACH = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class LikelihoodTable:
    """log L of every cell on the nodes that suit a block."""

    nodes: Array  # (Q,)
    log_likelihood: Array  # (C, Q)


def narrowest(cells: Cells, topic_sd: float, prior_variance: float) -> float:
    """Standard deviation that no posterior of a cell's θ in the block falls below; the prior's is at least that given.

    Whoever knew the general θ would still not know that of the topic, which is `topic_sd` wide.
    """
    of_topic = cells.topic_information + np.divide(1.0, topic_sd**2) if topic_sd else np.inf
    return float(1 / np.sqrt(max(min(cells.information, of_topic), FLAT) + 1 / prior_variance))


def equal_nodes(low: float, high: float, sd: float) -> Array:
    """Over low … high, with a step at which the trapezoidal rule gives the variance of N(0, sd²) to 1e-4."""
    step = min(COARSEST, STEP_SD * sd)
    return np.linspace(low, high, int(np.ceil((high - low) / step)) + 1)


def likelihood_table(cells: Cells, bank: Items, nodes: Array) -> LikelihoodTable:
    """From the bank's curves, so that any family of items serves."""
    return LikelihoodTable(nodes, np.asarray(cells.answered @ bank.log_prob(nodes)))


class Tilted(NamedTuple):
    """Log of the integral, mean and variance, (C,) each."""

    log_total: Array
    mean: Array
    variance: Array


@dataclass(frozen=True, slots=True, eq=False)
class Propagated:
    """The block's posterior at the fixed point, its sites, and log of each learner's marginal likelihood (B,)."""

    posterior: BlockPosterior
    sites: Sites
    log_likelihood: Array
    moved: float  # by how many posterior standard deviations the last sweep moved a cell


def propagate(
    cells: Cells, table: LikelihoodTable, mean: Array, prior: WeekPrior, sites: Sites | None = None
) -> Propagated:
    """Sweep over all cells at once until none moves; `mean` (B, W) is the prior's, `sites` those to begin with."""
    at_mean = mean.ravel()[cells.place // cells.shape[2]]
    sites = sites or Sites(np.zeros(at_mean.size), np.zeros(at_mean.size))
    for _ in range(MAX_SWEEPS):
        block = posterior(*tables(cells, sites, at_mean), prior)
        cavity, centre = _cavity(cells, block, prior.topic_sd, at_mean, sites)
        tilted = _tilted(table, cavity)
        moved = float(np.max(np.abs(tilted.mean - centre) / np.sqrt(tilted.variance), initial=0.0))
        if moved < SWEEP_TOLERANCE:
            break
        sites = _matched(cavity, tilted)
    gain = tilted.log_total - _normal_integral(cavity, sites)
    gain += sites.shift * at_mean - sites.precision * at_mean**2 / 2
    per_learner = np.bincount(cells.of_learner, gain, cells.shape[0])
    return Propagated(block, sites, block.log_normaliser + per_learner, moved)


def with_sites(cells: Cells, sites: Sites, mean: Array, prior: WeekPrior) -> tuple[Array, BlockPosterior]:
    """Log of each learner's marginal likelihood (B,), up to a constant of the sites, and the posterior they give."""
    at_mean = mean.ravel()[cells.place // cells.shape[2]]
    block = posterior(*tables(cells, sites, at_mean), prior)
    at_prior = sites.shift * at_mean - sites.precision * at_mean**2 / 2
    return block.log_normaliser + np.bincount(cells.of_learner, at_prior, cells.shape[0]), block


def _cavity(cells: Cells, block: BlockPosterior, tau: float, at_mean: Array, sites: Sites) -> tuple[Sites, Array]:
    """What all else says of each cell's θ, as natural parameters, and the mean with the cell itself."""
    centre, variance = (moment.ravel()[cells.place] for moment in cell_moments(block, tau))
    centre = centre + at_mean
    return Sites(1 / variance - sites.precision, centre / variance - sites.shift), centre


def _matched(cavity: Sites, tilted: Tilted) -> Sites:
    """Sites that give the tilted moments; a likelihood that widens the cavity (a guessed answer) gets no precision."""
    precision = np.maximum(1 / tilted.variance - cavity.precision, 0.0)
    return Sites(precision, tilted.mean * (precision + cavity.precision) - cavity.shift)


def tables(cells: Cells, sites: Sites, at_mean: Array) -> tuple[Array, Array]:
    """Precisions, and shifts relative to the prior's mean, (B, W, T); 0 where there is no answer."""
    precision, shift = np.zeros((2, *cells.shape))
    precision.ravel()[cells.place] = sites.precision
    shift.ravel()[cells.place] = sites.shift - sites.precision * at_mean
    return precision, shift


def _tilted(table: LikelihoodTable, cavity: Sites) -> Tilted:
    """Moments of cavity (a density) times likelihood."""
    nodes = table.nodes
    powers = np.stack([-(nodes**2) / 2, nodes])
    weight = np.stack(cavity, axis=1) @ powers
    weight += table.log_likelihood
    top = weight.max(axis=1, keepdims=True)
    weight -= top
    np.exp(weight, out=weight)
    sums = weight @ np.stack([np.ones_like(nodes), nodes, nodes**2], axis=1)
    total, first, second = sums.T
    mean = first / total
    log_total = np.log(total * (nodes[1] - nodes[0])) + top[:, 0]
    log_total += (np.log(cavity.precision / (2 * np.pi)) - cavity.shift**2 / cavity.precision) / 2
    return Tilted(log_total, mean, second / total - mean**2)


def _normal_integral(cavity: Sites, sites: Sites) -> Array:
    """Log of the integral of the cavity's density times the site."""
    precision, shift = cavity.precision + sites.precision, cavity.shift + sites.shift
    return (np.log(cavity.precision / precision) + shift**2 / precision - cavity.shift**2 / cavity.precision) / 2
