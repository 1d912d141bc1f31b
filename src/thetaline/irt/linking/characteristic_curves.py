"""Characteristic curve methods: the A and B that close the gaps between the anchors' curves on both scales.

Haebara (1980) squares the gap of every category of every item, Stocking & Lord (1983) that of the expected total score.
P_new on its own scale is evaluated at (θ − B) / A: the same as rescaling the items, with shorter derivatives.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.item_batches import ItemBatch
from thetaline.irt.items import Items
from thetaline.irt.linking.anchors import Anchors
from thetaline.irt.linking.least_squares import Minimum, least_squares
from thetaline.irt.linking.method import Constants, Criterion, Sensitivity

LARGEST_LOG_A = 4.0  # A = 55: where one scale is 55 times as wide as the other, they do not measure the same
FARTHEST_LOG_A = 30.0  # that a search may try
STEP = 1e-5  # of central differences of quantities of size about 1: error about 1e-10
LARGEST_LOGIT = 16.0  # an asymptote of exactly 0 or 1 has no derivative in its logit; 1e-7 from there it has one


class CurveTables:
    """The curves of a bank as (ΣK, Q) tables, rows by item as `Items.log_prob` has them, from movable parameters."""

    def __init__(self, batches: Sequence[ItemBatch], offsets: Index) -> None:
        """`offsets` (I + 1,) are the rows of a table where the items start."""
        self.batches, self.offsets = batches, offsets

    @classmethod
    def of(cls, items: Items) -> Self:
        """Split the bank once."""
        return cls(tuple(items.batches()), items.offsets)

    def at(self, theta: Array) -> tuple[Array, Array]:
        """P and ∂P/∂θ at `theta` (Q,)."""
        p, slope = np.empty((2, int(self.offsets[-1]), theta.size))
        for batch in self.batches:
            rows, curve = batch.codes(self.offsets), batch.at_nodes(theta)
            p[rows], slope[rows] = curve.p.swapaxes(1, 2), curve.slope.swapaxes(1, 2)
        return p, slope

    def inside(self) -> Self:
        """With asymptotes of 0 and 1 moved in by 1e-7."""
        return type(self)([batch.with_free(_inside(batch)) for batch in self.batches], self.offsets)

    def moved(self, column: int, by: float) -> Self:
        """With one free parameter of every item that has it moved."""
        return type(self)([batch.with_free(_moved(batch.free, column, by)) for batch in self.batches], self.offsets)

    @property
    def n_free(self) -> int:
        """Most free parameters of an item."""
        return max(int(batch.free.shape[1]) for batch in self.batches)


def _inside(batch: ItemBatch) -> Array:
    free = batch.free.copy()
    free[:, batch.n_categories :] = np.clip(free[:, batch.n_categories :], -LARGEST_LOGIT, LARGEST_LOGIT)
    return free


def _moved(free: Array, column: int, by: float) -> Array:
    out = free.copy()
    out[:, column : column + 1] += by
    return out


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
    """The anchors' curves on both scales, from parameters that may have been moved."""

    def __init__(self, new: CurveTables, reference: CurveTables, theta: Array) -> None:
        """`theta` (Q,) are the criterion's nodes, on whichever scale a gap is measured."""
        self.new, self.reference, self.theta = new, reference, theta

    @cached_property
    def new_at_nodes(self) -> Array:
        """P_new(θ), which no A and B changes."""
        return self.new.at(self.theta)[0]

    @cached_property
    def reference_at_nodes(self) -> Array:
        """P_reference(θ), which no A and B changes."""
        return self.reference.at(self.theta)[0]

    def inside(self) -> "Pair":
        """With every asymptote within 0 and 1."""
        return Pair(self.new.inside(), self.reference.inside(), self.theta)

    def moved(self, side: str, column: int, by: float) -> "Pair":
        """One free parameter of every anchor moved at once: an anchor's curve depends on its own only."""
        tables = {"new": self.new, "reference": self.reference}
        tables[side] = tables[side].moved(column, by)
        return Pair(tables["new"], tables["reference"], self.theta)

    def gap_on_reference_scale(self, log_A: float, B: float) -> Gap:
        """P_reference(θ) − P_new((θ − B) / A) at nodes θ of the reference scale."""
        A = _slope(log_A)
        at = (self.theta - B) / A
        moved, slope = self.new.at(at)
        return Gap(self.reference_at_nodes - moved, slope * at, slope / A)

    def gap_on_new_scale(self, log_A: float, B: float) -> Gap:
        """P_new(θ) − P_reference(A θ + B) at nodes θ of the new scale."""
        A = _slope(log_A)
        moved, slope = self.reference.at(A * self.theta + B)
        return Gap(self.new_at_nodes - moved, -slope * A * self.theta, -slope)

    def gaps(self, x: Array, criterion: Criterion) -> Iterator[Gap]:
        """The gaps at x = (log A, B) that a criterion squares: on the reference scale, if symmetric on the new one."""
        yield self.gap_on_reference_scale(x[0], x[1])
        if criterion.symmetric:
            yield self.gap_on_new_scale(x[0], x[1])


def _slope(log_A: float) -> float:
    """Return exp(log A), held where a search on its way to nowhere would divide by 0."""
    return float(np.exp(np.clip(log_A, -FARTHEST_LOG_A, FARTHEST_LOG_A)))


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
        """Damped Gauss–Newton from the best of two starts; the failure says where no A > 0 is within reason."""
        starts = [(np.log(start.A), start.B)] if start else _starts(anchors)
        best = min((self._minimum(anchors, criterion, x) for x in starts), key=lambda m: m.cost)
        if abs(best.x[0]) > LARGEST_LOG_A:
            return Constants(
                1.0,
                0.0,
                f"{self.name}: the curves of the {anchors.n} anchors agree for no A > 0 (it went to "
                f"{np.exp(best.x[0]):.3g}); is one of the scales reversed, or are the anchors from another bank?",
            )
        return Constants(float(np.exp(best.x[0])), float(best.x[1]), best.failure)

    def sensitivity(self, anchors: Anchors, criterion: Criterion, at: Constants) -> Sensitivity:
        """Implicit differentiation of the normal equations, −H⁻¹ ∂gradient/∂parameter (Ogasawara, 2001).

        In the free parameters, and from there to the published ones by the families' Jacobians.
        """
        hessian = self._hessian(anchors, criterion, at)
        scale = np.array([at.A, 1.0])[:, None]
        pair = _pair(anchors, criterion).inside()

        def by_free(side: str, column: int) -> Array:
            pull = self._gradient_by(anchors, criterion, at, pair, (side, column))
            return np.asarray(-scale * np.linalg.solve(hessian, pull))

        def every(side: str, tables: CurveTables) -> dict[str, Array]:
            by_column = [by_free(side, column) for column in range(tables.n_free)]
            return _by_published(np.stack(by_column, axis=-1), tables, anchors.new.thresholds.shape[1])

        return Sensitivity(every("new", pair.new), every("reference", pair.reference))

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
            ahead, behind = (self._gradient(anchors, criterion, x + e * axis) for e in (STEP, -STEP))
            return np.asarray((ahead - behind) / (2.0 * STEP))

        hessian = np.column_stack([along(axis) for axis in np.eye(2)])
        held = ~_free(anchors)
        hessian[held], hessian[:, held] = 0.0, 0.0
        hessian[held, held] = 1.0
        return hessian

    def _gradient_by(
        self, anchors: Anchors, criterion: Criterion, at: Constants, pair: Pair, what: tuple[str, int]
    ) -> Array:
        """∂gradient/∂(one free parameter of each anchor), (2, n)."""
        x, weight, w = np.array([np.log(at.A), at.B]), self.row_weights(anchors), criterion.weights.weight
        total = np.zeros((2, anchors.n))
        ahead, behind = (pair.moved(*what, e).gaps(x, criterion) for e in (STEP, -STEP))
        for up, down, now in zip(ahead, behind, pair.gaps(x, criterion), strict=True):
            moved = Gap.combined(lambda p, m: weight * (p - m) / (2.0 * STEP), up, down)
            rows = self._rows(anchors, now)
            each = np.einsum("q,prq->pr", w, moved.value * rows.slopes + rows.value * moved.slopes)
            total += np.add.reduceat(each, anchors.new.offsets[:-1], axis=1)
        total[~_free(anchors)] = 0.0
        return total


def _by_published(by_free: Array, tables: CurveTables, n_thresholds: int) -> dict[str, Array]:
    """∂(A, B) by a, b (2, n, K − 1), c and d from those by the free parameters (2, n, P): S J⁻¹ item by item."""
    n = by_free.shape[1]
    out = {"a": np.zeros((2, n)), "b": np.zeros((2, n, n_thresholds)), "c": np.zeros((2, n)), "d": np.zeros((2, n))}
    for batch in tables.batches:
        jacobian = batch.family.published_jacobian(batch.free)
        free = by_free[:, batch.index, : batch.free.shape[1]].swapaxes(0, 1)  # (G, 2, P)
        published = np.linalg.solve(jacobian.swapaxes(1, 2), free.swapaxes(1, 2))  # (G, P, 2)
        k = batch.n_categories
        out["a"][:, batch.index] = published[:, 0].T
        out["b"][:, batch.index, : k - 1] = published[:, 1:k].transpose(2, 0, 1)
        for column, letter in enumerate("c" * batch.family.has_c + "d" * batch.family.has_d, start=k):
            out[letter][:, batch.index] = published[:, column].T
    return out


def _pair(anchors: Anchors, criterion: Criterion) -> Pair:
    return Pair(CurveTables.of(anchors.new), CurveTables.of(anchors.reference), criterion.weights.theta)


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


class Haebara(CharacteristicCurves):
    """Minimise Σ_q w_q Σ_i Σ_k (P_ik,reference − P_ik,new)²; categories as in Kim & Lee (2006)."""

    name = "haebara"

    def added(self, gaps: Array, _anchors: Anchors) -> Array:
        """Every category is squared on its own."""
        return gaps

    def row_weights(self, anchors: Anchors) -> Array:
        """All 1."""
        return np.ones((int(anchors.new.offsets[-1]), 1))


class StockingLord(CharacteristicCurves):
    """Minimise Σ_q w_q (T_reference − T_new)², T = Σ_i Σ_k k P_ik (polytomous: Baker, 1992)."""

    name = "stocking-lord"

    def added(self, gaps: Array, anchors: Anchors) -> Array:
        """One row: the gap of the test characteristic curves."""
        return anchors.new.row_scores[None, :] @ gaps

    def row_weights(self, anchors: Anchors) -> Array:
        """A category counts with its score."""
        return anchors.new.row_scores[:, None]
