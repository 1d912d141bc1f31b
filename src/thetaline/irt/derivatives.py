"""Category probabilities and the derivatives of their logarithms in θ, from published parameters.

Calibration differentiates in the item parameters; linking, scoring and information differentiate in θ. With
s = ∂ log P / ∂θ and s' = ∂² log P / ∂θ² everything else follows: P' = P s and P'' = P (s² + s').
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from thetaline.irt._types import Array, Categories, Index

LARGEST_LOGIT = 300.0  # the square of exp(−300), which the information needs, is still above 0 in float64


class Parameters(Protocol):
    """What of an item bank the formulas read; `irt.Items` is one."""

    @property
    def model(self) -> Any: ...  # noqa: D102
    @property
    def a(self) -> Array: ...  # noqa: D102
    @property
    def c(self) -> Array: ...  # noqa: D102
    @property
    def d(self) -> Array: ...  # noqa: D102
    @property
    def n_categories(self) -> Any: ...  # noqa: D102
    @property
    def thresholds(self) -> Array: ...  # noqa: D102
    @property
    def offsets(self) -> Any: ...  # noqa: D102


class Curve(NamedTuple):
    """P, s = ∂ log P / ∂θ and ds = ∂² log P / ∂θ², each (..., K)."""

    p: Array
    s: Array
    ds: Array

    @property
    def slope(self) -> Array:
        """∂P / ∂θ, (..., K)."""
        return self.p * self.s

    @property
    def information(self) -> Array:
        """Fisher information Σ_k P_k s_k², (...)."""
        return np.asarray(np.einsum("...k,...k,...k->...", self.p, self.s, self.s))

    @property
    def warm_bias(self) -> Array:
        """J = Σ_k P'_k P''_k / P_k, (...); Warm (1989), eq. 8, for any number of categories."""
        return np.asarray(np.einsum("...k,...k->...", self.p * self.s, self.s * self.s + self.ds))


def logistic(theta: Array, a: Array, b: Array, c: Array, d: Array) -> Curve:
    """Rasch to 4PL: P_1 = c + (d − c) L with L = 1 / (1 + exp(−a (θ − b))); `b` is (..., 1)."""
    z = np.clip(a * (theta - b[..., 0]), -LARGEST_LOGIT, LARGEST_LOGIT)
    odds_against = np.exp(-z)
    right = 1.0 / (1.0 + odds_against)
    wrong = odds_against * right
    s_right = a * (d - c) * wrong / (d + c * odds_against)
    s_wrong = -a * (d - c) * wrong / (1.0 - d + (1.0 - c) * odds_against)
    p_right = c + (d - c) * right
    bend = a * (wrong - right)
    return Curve(
        np.stack([1.0 - p_right, p_right], axis=-1),
        np.stack([s_wrong, s_right], axis=-1),
        np.stack([s_wrong * (bend - s_wrong), s_right * (bend - s_right)], axis=-1),
    )


def graded(theta: Array, a: Array, b: Array, _c: Array, _d: Array) -> Curve:
    """GRM: P_k = L_k − L_(k+1), L_k = P(X ≥ k); s_k = a (1 − L_k − L_(k+1)) needs no division (Samejima 1969)."""
    z = np.clip(a[..., None] * (theta[..., None] - b), -LARGEST_LOGIT, LARGEST_LOGIT)
    inner = 1.0 / (1.0 + np.exp(-z))
    edge = np.ones((*inner.shape[:-1], 1))
    above = np.concatenate([edge, inner], axis=-1)
    below = np.concatenate([inner, 0.0 * edge], axis=-1)
    s = a[..., None] * (1.0 - above - below)
    ds = -np.square(a)[..., None] * (above * (1.0 - above) + below * (1.0 - below))
    return Curve(above - below, s, ds)


def partial_credit(theta: Array, a: Array, b: Array, _c: Array, _d: Array) -> Curve:
    """PCM and GPCM: log P_k = Σ_(v ≤ k) a (θ − b_v) − log Σ; s_k = a (k − E X) (Muraki 1992)."""
    steps = a[..., None] * (theta[..., None] - b)
    start = np.zeros((*steps.shape[:-1], 1))
    z = np.concatenate([start, np.cumsum(steps, axis=-1)], axis=-1)
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    away = np.arange(p.shape[-1]) - (p @ np.arange(p.shape[-1]))[..., None]
    variance = np.einsum("...k,...k,...k->...", p, away, away)
    ds = np.broadcast_to(-(np.square(a) * variance)[..., None], p.shape)
    return Curve(p, a[..., None] * away, ds)


class Slopes(NamedTuple):
    """s = ∂ log P / ∂θ and ds = ∂² log P / ∂θ² of the answers given, (M,)."""

    s: Array
    ds: Array


def logistic_answered(theta: Array, item: "Alike", answer: Categories) -> Slopes:
    """A wrong answer is a right one to the item turned round: −a, lower asymptote 1 − d, upper 1 − c."""
    right = answer == 1
    a = np.where(right, item.a, -item.a)
    z = np.clip(a * (theta - item.b[:, 0]), -LARGEST_LOGIT, LARGEST_LOGIT)
    odds_against = np.exp(-z)
    missing = odds_against / (1.0 + odds_against)
    if not item.c.any() and (item.d == 1.0).all():
        return Slopes(a * missing, -np.square(a) * missing * (1.0 - missing))
    c, d = np.where(right, item.c, 1.0 - item.d), np.where(right, item.d, 1.0 - item.c)
    s = a * (d - c) * missing / (d + c * odds_against)
    return Slopes(s, s * (a * (2.0 * missing - 1.0) - s))


def polytomous_answered(theta: Array, item: "Alike", answer: Categories) -> Slopes:
    """Those of all categories, and of them the one answered."""
    curve, row = item.curve(theta), np.arange(len(answer))
    return Slopes(curve.s[row, answer], curve.ds[row, answer])


@dataclass(frozen=True, slots=True)
class Formula:
    """How θ enters an item: all categories, the answered one, and a bound of −ds in units of a² where there are K."""

    curve: Callable[[Array, Array, Array, Array, Array], Curve]
    answered: Callable[[Array, "Alike", Categories], Slopes]
    largest_bend: Callable[[int], float]


# the bounds: the variance of a right or wrong answer, of the two thresholds of a category, of a score on 0 … K − 1
LOGISTIC = Formula(logistic, logistic_answered, lambda _k: 0.25)
GRADED = Formula(graded, polytomous_answered, lambda k: 0.25 if k == 2 else 0.5)
PARTIAL_CREDIT = Formula(partial_credit, polytomous_answered, lambda k: (k - 1) ** 2 / 4.0)
FORMULAS: dict[str, Formula] = {
    **dict.fromkeys(("Rasch", "1PL", "2PL", "3PL", "4PL"), LOGISTIC),
    "GRM": GRADED,
    **dict.fromkeys(("PCM", "GPCM"), PARTIAL_CREDIT),
}


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Items of one bank that share a formula and a number of categories; arrays are (G,) and `b` is (G, K − 1)."""

    index: Index  # positions in the bank
    formula: Formula
    a: Array
    b: Array
    c: Array
    d: Array

    @property
    def n_categories(self) -> int:
        """K."""
        return int(self.b.shape[1]) + 1

    @property
    def largest_bend(self) -> Array:
        """Most that −∂² log P / ∂θ² of any answer can be, (G,)."""
        return self.formula.largest_bend(self.n_categories) * self.a**2

    def at_nodes(self, theta: Array) -> Curve:
        """Every item at every node: (G, Q, K)."""
        return self.formula.curve(theta, *(x[:, None] for x in (self.a, self.b, self.c, self.d)))

    def curve(self, theta: Array) -> Curve:
        """Item g at `theta[g]`: (G, K)."""
        return self.formula.curve(theta, self.a, self.b, self.c, self.d)

    def answered(self, theta: Array, answer: Categories) -> Slopes:
        """Derivatives of log P(answer to item g) at `theta[g]`, (G,)."""
        return self.formula.answered(theta, self, answer)

    def rows(self, which: Index) -> Self:
        """The items at these positions, repeated as often as they are named."""
        a, b, c, d = (x[which] for x in (self.a, self.b, self.c, self.d))
        return type(self)(self.index[which], self.formula, a, b, c, d)


def alike(items: Parameters) -> Iterator[Alike]:
    """Split a bank by formula and number of categories, so that each part is one rectangular array."""
    b, c, d = items.thresholds, np.nan_to_num(items.c, nan=0.0), np.nan_to_num(items.d, nan=1.0)
    models, counts = np.unique(items.model).tolist(), items.n_categories
    for formula in (LOGISTIC, GRADED, PARTIAL_CREDIT):
        mine = np.isin(items.model, [model for model in models if FORMULAS[model] is formula])
        for k in np.unique(counts[mine]):
            index = np.flatnonzero(mine & (counts == k))
            yield Alike(index, formula, items.a[index], b[index, : k - 1], c[index], d[index])


def row_scores(items: Parameters) -> Array:
    """(ΣK,): the score 0 … K − 1 that a row of such a table stands for."""
    first = items.offsets
    return np.asarray(np.arange(first[-1]) - np.repeat(first[:-1], items.n_categories), dtype=np.float64)


class CategoryCurves:
    """The curves of a bank, split by formula once and evaluated at many abilities."""

    def __init__(self, items: Parameters) -> None:
        """Split once."""
        self.items = items
        self.parts = list(alike(items))

    def at(self, theta: Array) -> tuple[Array, Array]:
        """P and ∂P/∂θ as (ΣK, Q) tables, rows grouped by item like `Items.log_prob`."""
        first = self.items.offsets
        p, slope = np.empty((2, int(first[-1]), theta.size))
        for part in self.parts:
            rows = first[part.index][:, None] + np.arange(part.n_categories)
            curve = part.at_nodes(theta)
            p[rows], slope[rows] = curve.p.swapaxes(1, 2), curve.slope.swapaxes(1, 2)
        return p, slope
