"""What Haebara and Stocking–Lord share: gaps between the anchors' curves, and the A and B that close them.

P_new on its own scale is evaluated at (θ − B) / A: the same as rescaling the items, with shorter derivatives.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from thetaline.errors import ItemsError
from thetaline.irt._types import Array, Mask
from thetaline.irt.derivatives import CategoryCurves, Parameters
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.constants import Constants, Criterion, Sensitivity
from thetaline.irt.linking.finite_differences import Nudged, central_difference
from thetaline.irt.linking.least_squares import Minimum, least_squares

LARGEST_LOG_A = 4.0  # A = 55: where one scale is 55 times as wide as the other, they do not measure the same


class Gap(NamedTuple):
    """Difference of two curves (rows, Q) and its derivatives by log A and by B."""

    value: Array
    by_log_slope: Array
    by_shift: Array

    @classmethod
    def combined(cls, f: Callable[..., Array], *gaps: "Gap") -> "Gap":
        """Apply a linear `f` to the values and to the derivatives of gaps."""
        return cls(*(f(*parts) for parts in zip(*gaps, strict=True)))

    @property
    def slopes(self) -> Array:
        """(2, rows, Q): derivatives by log A and by B."""
        return np.stack([self.by_log_slope, self.by_shift])


class Pair:
    """The anchors' curves on both scales, from parameters that may have been nudged."""

    def __init__(self, new: Parameters, reference: Parameters, theta: Array) -> None:
        """`theta` (Q,) are the criterion's nodes, on whichever scale a gap is measured."""
        self.new, self.reference, self.theta = CategoryCurves(new), CategoryCurves(reference), theta

    @cached_property
    def new_at_nodes(self) -> Array:
        """P_new(θ), which no A and B changes."""
        return self.new.at(self.theta)[0]

    @cached_property
    def reference_at_nodes(self) -> Array:
        """P_reference(θ), which no A and B changes."""
        return self.reference.at(self.theta)[0]

    def nudged(self, side: str, name: str, step: int, by: float) -> "Pair":
        """One parameter of every anchor moved at once: an anchor's curve depends on its own only."""
        items = {"new": self.new.items, "reference": self.reference.items}
        items[side] = Nudged.of(items[side], name, step, by)
        return Pair(items["new"], items["reference"], self.theta)

    def gap_on_reference_scale(self, log_A: float, B: float) -> Gap:
        """P_reference(θ) − P_new((θ − B) / A) at nodes θ of the reference scale."""
        A = np.exp(log_A)
        at = (self.theta - B) / A
        moved, slope = self.new.at(at)
        return Gap(self.reference_at_nodes - moved, slope * at, slope / A)

    def gap_on_new_scale(self, log_A: float, B: float) -> Gap:
        """P_new(θ) − P_reference(A θ + B) at nodes θ of the new scale."""
        A = np.exp(log_A)
        moved, slope = self.reference.at(A * self.theta + B)
        return Gap(self.new_at_nodes - moved, -slope * A * self.theta, -slope)

    def gaps(self, x: Array, criterion: Criterion) -> Iterator[Gap]:
        """The gaps at x = (log A, B) that a criterion squares: on the reference scale, if symmetric on the new one."""
        yield self.gap_on_reference_scale(x[0], x[1])
        if criterion.symmetric:
            yield self.gap_on_new_scale(x[0], x[1])


class CharacteristicCurves:
    """Minimise Σ_q w_q Σ_rows gap(θ_q)². A method says which gaps add up before they are squared."""

    name: str

    def added(self, gaps: Array, anchors: Anchors) -> Array:
        """(ΣK, Q) gaps of categories to the (rows, Q) that are squared."""
        raise NotImplementedError

    def row_weights(self, anchors: Anchors) -> Array:
        """(ΣK, 1): how a category's gap enters its squared row."""
        raise NotImplementedError

    def constants(self, anchors: Anchors, criterion: Criterion, start: Constants | None = None) -> Constants:
        """Damped Gauss–Newton from the best of two starts; raises ItemsError where no A > 0 is within reason."""
        starts = [(np.log(start.A), start.B)] if start else _starts(anchors)
        best = min((self._minimum(anchors, criterion, x) for x in starts), key=lambda m: m.cost)
        if abs(best.x[0]) > LARGEST_LOG_A:
            raise ItemsError(
                f"{self.name}: the curves of the {anchors.n} anchors agree for no A > 0 (it went to "
                f"{np.exp(best.x[0]):.3g}); is one of the scales reversed, or are the anchors from another bank?"
            )
        return Constants(float(np.exp(best.x[0])), float(best.x[1]), best.trouble)

    def sensitivity(self, anchors: Anchors, criterion: Criterion, at: Constants) -> Sensitivity:
        """Implicit differentiation of the normal equations, −H⁻¹ ∂gradient/∂parameter (Ogasawara, 2001)."""
        hessian = self._hessian(anchors, criterion, at)
        scale = np.array([at.A, 1.0])[:, None]

        def derivative(side: str, name: str, step: int) -> Array:
            pull = self._gradient_by(anchors, criterion, at, (side, name, step))
            return np.asarray(-scale * np.linalg.solve(hessian, pull))

        n_steps = anchors.new.thresholds.shape[1]

        def every(side: str) -> dict[str, Array]:
            single = {name: derivative(side, name, 0) for name in ("a", "c", "d")}
            return single | {"b": np.stack([derivative(side, "b", v) for v in range(n_steps)], axis=-1)}

        return Sensitivity(every("new"), every("reference"))

    def _minimum(self, anchors: Anchors, criterion: Criterion, start: tuple[float, float]) -> Minimum:
        pair, root = _pair(anchors, criterion), np.sqrt(criterion.weights.weight)

        def residuals(x: Array) -> tuple[Array, Array]:
            rows = [self._rows(anchors, gap) for gap in pair.gaps(x, criterion)]
            value = np.concatenate([(root * gap.value).ravel() for gap in rows])
            slopes = np.concatenate([(root * gap.slopes).reshape(2, -1) for gap in rows], axis=1)
            return value, slopes

        return least_squares(residuals, np.array(start), free=_free(anchors))

    def _rows(self, anchors: Anchors, gap: Gap) -> Gap:
        return Gap.combined(lambda x: self.added(x, anchors), gap)

    def _gradient(self, anchors: Anchors, criterion: Criterion, x: Array) -> Array:
        rows = [self._rows(anchors, gap) for gap in _pair(anchors, criterion).gaps(x, criterion)]
        w = criterion.weights.weight
        return np.asarray(sum(np.einsum("q,rq,prq->p", w, gap.value, gap.slopes) for gap in rows))

    def _hessian(self, anchors: Anchors, criterion: Criterion, at: Constants) -> Array:
        x = np.array([np.log(at.A), at.B])

        def along(axis: Array) -> Array:
            return central_difference(lambda e: self._gradient(anchors, criterion, x + e * axis))

        hessian = np.column_stack([along(axis) for axis in np.eye(2)])
        held = ~_free(anchors)
        hessian[held], hessian[:, held] = 0.0, 0.0
        hessian[held, held] = 1.0
        return hessian

    def _gradient_by(self, anchors: Anchors, criterion: Criterion, at: Constants, what: tuple[str, str, int]) -> Array:
        """∂gradient/∂(one parameter of each anchor), (2, n)."""
        x, weight, w = np.array([np.log(at.A), at.B]), self.row_weights(anchors), criterion.weights.weight
        total, pair = np.zeros((2, anchors.n)), _pair(anchors, criterion)
        ahead, behind = (pair.nudged(*what, e).gaps(x, criterion) for e in NUDGES)
        for up, down, now in zip(ahead, behind, pair.gaps(x, criterion), strict=True):
            moved = Gap.combined(lambda p, m: weight * (p - m) / (NUDGES[0] - NUDGES[1]), up, down)
            rows = self._rows(anchors, now)
            each = np.einsum("q,prq->pr", w, moved.value * rows.slopes + rows.value * moved.slopes)
            total += np.add.reduceat(each, anchors.new.offsets[:-1], axis=1)
        total[~_free(anchors)] = 0.0
        return total


NUDGES = (1e-5, -1e-5)


def _pair(anchors: Anchors, criterion: Criterion) -> Pair:
    return Pair(anchors.new, anchors.reference, criterion.weights.theta)


def _free(anchors: Anchors) -> Mask:
    return np.array([anchors.known_slope is None, True])


def _starts(anchors: Anchors) -> list[tuple[float, float]]:
    """Mean/mean, and medians that a few wild anchors do not move; (log A, B)."""
    new, reference, _ = anchors.paired_thresholds()
    log_ratio = np.log(anchors.new.a / anchors.reference.a)
    typical = float(np.median(log_ratio))
    mean = float(np.log(anchors.new.a.mean() / anchors.reference.a.mean()))
    return [
        (mean, float(reference.mean() - np.exp(mean) * new.mean())),
        (typical, float(np.median(reference - np.exp(typical) * new))),
    ]
