"""What is believed about the abilities of N test-takers: weights on nodes, updated answer by answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from thetaline.errors import InputError
from thetaline.irt._log_space import softmax
from thetaline.irt._types import Array
from thetaline.irt.grid import normal_log_weights

NODES = np.linspace(-6.0, 6.0, 121)  # 0.1 apart: exact for posteriors down to a standard deviation of 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Normalised weights (N, Q) on nodes (Q,)."""

    nodes: Array
    weights: Array

    @classmethod
    def normal(cls, mean: float, sd: float, n_persons: int = 1) -> Self:
        """N(mean, sd²) for everybody, on nodes that reach 6 sd."""
        nodes = mean + sd * NODES
        weights = np.exp(normal_log_weights(nodes, mean, sd))
        return cls(nodes, np.broadcast_to(weights, (n_persons, len(nodes))).copy())

    @classmethod
    def given(cls, posterior: tuple[ArrayLike, ArrayLike]) -> Self:
        """One person's (mean, sd) or (nodes, weights); raises InputError for neither."""
        rule = "a posterior is (mean, sd > 0) or (nodes, weights ≥ 0) of equal length, all finite"
        try:
            first, second = (np.asarray(part, dtype=np.float64) for part in posterior)
        except (TypeError, ValueError) as error:
            raise InputError(f"{rule}, not {posterior!r}") from error
        finite = np.isfinite(first).all() and np.isfinite(second).all()
        if finite and first.ndim == 0 and second.ndim == 0 and second > 0:
            return cls.normal(float(first), float(second))
        if not finite or first.ndim != 1 or first.shape != second.shape or (second < 0).any() or second.sum() == 0:
            raise InputError(f"{rule}, not {posterior!r}")
        return cls(first, (second / second.sum())[None, :])

    @property
    def mean(self) -> Array:
        """EAP, (N,)."""
        return np.asarray(self.weights @ self.nodes)

    @property
    def sd(self) -> Array:
        """Posterior standard deviation, (N,)."""
        return np.asarray(np.sqrt(np.maximum(self.weights @ self.nodes**2 - self.mean**2, 0.0)))

    def after(self, log_likelihood: Array) -> Self:
        """Bayes' rule with the log-probabilities (N, Q) of one more answer each."""
        with np.errstate(divide="ignore"):
            log_weights = np.log(self.weights) + log_likelihood
        return type(self)(self.nodes, softmax(log_weights))
