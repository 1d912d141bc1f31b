"""The parameters where likelihood times prior is largest, and how sharply it falls around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from thetaline.learning._types import Array
from thetaline.learning.growth.cells import Cells
from thetaline.learning.growth.gaussian import Sites
from thetaline.learning.growth.lines import Lines, gathered, lines_by_sites, lines_of
from thetaline.learning.growth.marginal import BlockFit, Cohort, fit_block, map_blocks, summed
from thetaline.learning.growth.spec import GrowthSpec

DIFFERENCE = 0.1  # standard errors: step of the differences that give the curvature

NEAR = 0.5  # standard errors
LONGEST = 0.7  # of a step in any parameter: a factor of two on a standard deviation
MOST_HALVINGS = 12

LogDensity = Callable[[Array], tuple[float, Array]]


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """phi (P,) with the covariance (P, P) of its posterior, and how the search ended."""

    phi: Array
    covariance: Array
    converged: bool
    cycles: int
    distance: float  # standard errors that a Newton step would still go


class LogPosterior:
    """Log posterior of phi with its gradient; each evaluation begins with the sites of the last one."""

    def __init__(self, cohort: Cohort, spec: GrowthSpec) -> None:
        """Gather the cells of the cohort, which stay in memory."""
        self.cohort, self._priors, self._threads = cohort, spec.priors, spec.threads
        self._cells = list(cohort.blocks())
        self._sites: list[Sites | None] = [None] * len(self._cells)

    def fits(self, phi: Array) -> list[BlockFit]:
        """Every block at phi."""

        def one(part: tuple[Cells, Sites | None]) -> BlockFit:
            return fit_block(self.cohort, part[0], phi, part[1])

        parts = zip(self._cells, self._sites, strict=True)
        found = list(map_blocks(one, parts, self._threads, self.cohort.answers.n_answers))
        self._sites = [fit.at.sites if np.isfinite(fit.at.log_likelihood).all() else None for fit in found]
        return found

    @property
    def n_learners(self) -> int:
        """Learners with answers."""
        return self.cohort.n_learners

    def lines(self, phi: Array, ends: Sequence[float] = ()) -> Lines:
        """Everybody's line given phi, with plateaus from `ends`."""
        return gathered(self.cohort, phi, (lines_of(self.cohort, phi, fit, ends) for fit in self.fits(phi)), ends)

    def lines_near(self, phi: Array) -> Lines:
        """Everybody's line given phi; the sites of the last fit stand for the answers, `gradient` is not made."""
        parts = zip(self._cells, self._sites, strict=True)
        blocks = (lines_by_sites(self.cohort, phi, cells, sites) for cells, sites in parts if sites is not None)
        return gathered(self.cohort, phi, blocks)

    def log_prior(self, phi: Array) -> tuple[float, Array]:
        """Value, up to a constant, and gradient (P,)."""
        mean, sd = self.cohort.model.prior_moments(self._priors)
        away = (phi - mean) / sd
        return float(-away @ away / 2), -away / sd

    def prior_distance(self, phi: Array) -> Array:
        """(R,) prior standard deviations by which the furthest parameter of each row (R, P) is off its mean."""
        mean, sd = self.cohort.model.prior_moments(self._priors)
        return np.asarray(np.abs((phi - mean) / sd).max(axis=1))

    def __call__(self, phi: Array) -> tuple[float, Array]:
        """Value, up to a constant, and gradient (P,)."""
        total = summed(self.fits(phi))
        prior, d_prior = self.log_prior(phi)
        return total.log_likelihood + prior, total.gradient + d_prior


def maximise(target: LogPosterior, spec: GrowthSpec) -> Maximum:
    """Quasi-Newton in units of standard errors, scaled by the cross-product of the learners' scores.

    Berndt, Hall, Hall & Hausman (1974) for the scale, Broyden–Fletcher–Goldfarb–Shanno for its updates.
    """
    phi, sd = target.cohort.model.prior_moments(spec.priors)
    scale = _inverse_root(summed(target.fits(phi)).information + np.diag(sd**-2))
    best, root, cycles = _climb(target, phi, scale, spec)
    covariance, distance = _curvature(target, best, root)
    return Maximum(best, covariance, distance < NEAR, cycles, distance)


def _climb(target: LogDensity, phi: Array, root: Array, spec: GrowthSpec) -> tuple[Array, Array, int]:
    """Where the search ended, a root of the inverse of the curvature found on the way, and the steps taken."""
    inverse = root @ root.T
    value, gradient = target(phi)
    for cycle in range(spec.max_cycles):
        step = inverse @ gradient
        if np.sqrt(gradient @ step) < spec.tolerance:
            return phi, _root(inverse), cycle
        step *= min(1.0, LONGEST / np.abs(step).max())
        new, new_value, new_gradient = _ascended(target, phi, value, step, float(gradient @ step))
        inverse = updated(inverse, new - phi, gradient - new_gradient)
        phi, value, gradient = new, new_value, new_gradient
    return phi, _root(inverse), spec.max_cycles


def _ascended(target: LogDensity, phi: Array, value: float, step: Array, rise: float) -> tuple[Array, float, Array]:
    """The first of ever shorter steps that gains a share of what the gradient promises (Armijo)."""
    for _ in range(MOST_HALVINGS):
        new_value, gradient = target(phi + step)
        if new_value >= value + 1e-4 * rise:
            break
        step, rise = step / 2, rise / 2
    return phi + step, new_value, gradient


def updated(inverse: Array, step: Array, change: Array) -> Array:
    """BFGS of the inverse curvature; left as it is where the density does not curve down along the step."""
    along = step @ change
    if along <= 1e-8 * np.sqrt((step @ step) * (change @ change)):
        return inverse
    left = np.eye(step.size) - np.outer(step, change) / along
    return np.asarray(left @ inverse @ left.T + np.outer(step, step) / along)


def _curvature(target: LogDensity, phi: Array, steps: Array) -> tuple[Array, float]:
    """Covariance from differences of the gradient along the columns of `steps`, and the length of a Newton step.

    A direction in which the density does not fall is as wide as its step: the prior holds it.
    """
    at = [[target(phi + sign * DIFFERENCE * step)[1] for sign in (1.0, -1.0)] for step in steps.T]
    along = -np.array([steps.T @ (up - down) for up, down in at]) / (2 * DIFFERENCE)
    values, vectors = np.linalg.eigh((along + along.T) / 2)
    root = steps @ vectors / np.sqrt(np.where(values > 0.05, values, 1.0))
    gradient = np.mean([up + down for up, down in at], axis=0) / 2
    return root @ root.T, float(np.linalg.norm(root.T @ gradient))


def _inverse_root(information: Array) -> Array:
    """S with S S' the inverse."""
    return np.asarray(solve_triangular(np.linalg.cholesky(information), np.eye(len(information)), lower=True).T)


def _root(matrix: Array) -> Array:
    return np.asarray(np.linalg.cholesky(matrix))
