"""The same items in two calibrations: bring one to the other's scale and test what is left.

Parameters are slope a and α_k = a b_k, because their estimates are nearer to normal than those of b (an item far from
everybody has a wild b and a tame α). With θ_reference = A θ_new + B the new ones become a u and α_k + a t, where
u = 1/A and t = B/A: both constants are estimated from the anchors by weighted least squares, and their error is carried
into each item's test by the delta method. Lord (1980, ch. 14) tests without it and rejects too often with few anchors.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from thetaline.errors import ItemsError
from thetaline.irt._types import Array, Ids, Ints, Mask
from thetaline.irt.covariance import ItemBlocks, ItemCovariance, ItemErrors
from thetaline.irt.families import FAMILIES
from thetaline.irt.items import Items
from thetaline.irt.linking.method import Constants
from thetaline.irt.linking.standard_errors import LinkErrors
from thetaline.irt.p_values import p_value


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Items of one calibration as (a, α_1, …, α_(P−1)) with their covariance; P − 1 is the most thresholds."""

    ids: Ids  # (I,)
    values: Array  # (I, P), NaN beyond an item's own thresholds
    covariance: Array  # (I, P, I, P), 0 for what is fixed or absent; (I, P, P) if calibrated in item blocks
    tested: Mask  # (I, P) own free parameters of the item: neither fixed nor shared by all items

    @property
    def exists(self) -> Mask:
        """(I, P) whether there is such a parameter."""
        return np.isfinite(self.values)

    @property
    def known(self) -> Array:
        """`values` with 0 for what does not exist."""
        return np.nan_to_num(self.values)

    @property
    def blocks(self) -> Array:
        """(I, P, P) covariance within each item."""
        if self.covariance.ndim == 3:
            return self.covariance
        own = np.arange(len(self.ids))
        return np.asarray(self.covariance[own, :, own, :])

    def times(self, gradient: Array) -> Array:
        """Covariance times a gradient (I, P, 2)."""
        pattern = "ipq,iqc->ipc" if self.covariance.ndim == 3 else "ipjq,jqc->ipc"
        return np.asarray(np.einsum(pattern, self.covariance, gradient, optimize=True))


def estimates(items: Items, covariance: ItemErrors | None) -> Estimates:
    """(a, α) of a bank with the covariance of its published parameters; None takes the bank as known without error.

    A slope that all items share (Rasch, 1PL, PCM) is not an item's own and is not tested.
    """
    values = np.column_stack([items.a, items.a[:, None] * items.thresholds])
    spread = _spread(items, covariance)
    tied = np.array([FAMILIES[str(name)].tied for name in items.model])
    tested = np.isfinite(values)
    if covariance is not None:
        tested &= np.einsum("ipip->ip" if spread.ndim == 4 else "ipp->ip", spread) > 0
    tested[:, 0] &= ~tied
    return Estimates(items.ids, values, spread, tested)


def _spread(items: Items, covariance: ItemErrors | None) -> Array:
    """Covariance of (a, α): in item blocks unless entries of different items may covary."""
    published = np.column_stack([items.a, items.thresholds])
    # α = a b, so that its row of the Jacobian is (b, 0, …, a, …, 0).
    onto = _slopes_by_published(published)
    if isinstance(covariance, ItemCovariance):
        table = _table(items, published.shape[1], covariance)
        return np.asarray(np.einsum("ipq,iqjr,jsr->ipjs", onto, table, onto, optimize=True))
    own = np.zeros(onto.shape) if covariance is None else _blocks(items, published.shape[1], covariance)
    return np.asarray(np.einsum("ipq,iqr,isr->ips", onto, own, onto, optimize=True))


def _blocks(items: Items, width: int, errors: ItemBlocks | Items) -> Array:
    """(I, P, P) covariance of (a, b_1, …) within each item; 0 where it is unknown, and for items without one."""
    given = errors.matrices if isinstance(errors, ItemBlocks) else _diagonal(errors)
    known = np.nan_to_num(given[:, :width, :width], posinf=0.0, neginf=0.0)
    where = {name: position for position, name in enumerate(errors.ids.tolist())}
    position = np.array([where.get(name, -1) for name in items.ids.tolist()], dtype=np.intp)
    table = np.zeros((len(items), width, width))
    table[position >= 0, : known.shape[1], : known.shape[1]] = known[position[position >= 0]]
    return table


def _diagonal(errors: Items) -> Array:
    """(I, P, P) squared standard errors of (a, b_1, …) on the diagonal."""
    squares = np.column_stack([errors.a, errors.thresholds]) ** 2
    return np.where(np.eye(squares.shape[1], dtype=bool), squares[:, :, None], 0.0)


def _table(items: Items, width: int, entries: ItemCovariance) -> Array:
    """(I, P, I, P) covariance of (a, b_1, …); entries of asymptotes and of other items are left out."""
    where = {name: position for position, name in enumerate(items.ids.tolist())}
    item = np.array([where.get(name, -1) for name in entries.ids.tolist()])
    column = np.array([_column(str(name)) for name in entries.names])
    kept = np.flatnonzero((item >= 0) & (column >= 0))
    table = np.zeros((len(items) * width, len(items) * width))
    place = item[kept] * width + column[kept]
    table[np.ix_(place, place)] = entries.matrix[np.ix_(kept, kept)]
    return table.reshape(len(items), width, len(items), width)


def _column(name: str) -> int:
    """0 for a, k for b_k, −1 for c and d."""
    if name == "a":
        return 0
    return int(name[1:] or 1) if name.startswith("b") else -1


def _slopes_by_published(published: Array) -> Array:
    """(I, P, P) derivatives of (a, α_1, …) in (a, b_1, …)."""
    known = np.nan_to_num(published)
    onto = np.zeros((*known.shape, known.shape[1]))
    onto[:, 1:, 0] = known[:, 1:]
    steps = np.arange(1, known.shape[1])
    onto[:, steps, steps] = known[:, :1]
    onto[:, 0, 0] = 1.0
    return onto


class Shift(NamedTuple):
    """(u, t) = (1/A, B/A) with the gradients of both in either calibration's parameters, (I, P, 2)."""

    u: float
    t: float
    by_reference: Array
    by_new: Array

    def covariance(self, reference: Estimates, new: Estimates) -> Array:
        """(2, 2) of (u, t)."""
        pairs = ((self.by_reference, reference), (self.by_new, new))
        return sum((np.einsum("ipc,ipd->cd", g, side.times(g)) for g, side in pairs), np.zeros((2, 2)))

    @property
    def constants(self) -> Constants:
        """A = 1 / u and B = t / u of θ_reference = A θ_new + B."""
        return Constants(1.0 / self.u, self.t / self.u)

    def errors(self, reference: Estimates, new: Estimates) -> LinkErrors:
        """Delta method: dA = −A² du, dB = A dt − A B du."""
        at = self.constants
        gradient = np.array([[-(at.A**2), 0.0], [-at.A * at.B, at.A]])
        return LinkErrors.of(gradient @ self.covariance(reference, new) @ gradient.T, "delta")


class Differences(NamedTuple):
    """Reference less new on the reference's scale, per item."""

    values: Array  # (I, P), 0 where not tested
    covariance: Array  # (I, P, P), identity where not tested
    degrees: Ints  # (I,)

    @property
    def wald(self) -> Array:
        """(I,) quadratic form of each item's differences."""
        try:
            solved = np.linalg.solve(self.covariance, self.values[..., None])[..., 0]
        except np.linalg.LinAlgError:  # of an item that alone makes the link nothing is left to test
            solved = (np.linalg.pinv(self.covariance, hermitian=True) @ self.values[..., None])[..., 0]
        return np.asarray(np.einsum("ip,ip->i", self.values, solved))

    @property
    def p(self) -> Array:
        """(I,) tail area of `wald`."""
        return p_value(self.wald, self.degrees)


def shift_between(reference: Estimates, new: Estimates, anchors: Mask) -> Shift:
    """u from the mean of log(a_reference / a_new), t from the regression of α_reference − α_new on a_new.

    Both are weighted by the inverse variance of what they average; the weights count as known, which costs nothing to
    first order because what they multiply has mean zero. Anchors need a > 0 on both sides.
    """
    u, u_reference, u_new = _slope_ratio(reference, new, anchors)
    t, t_reference, t_new = _intercept_shift(reference, new, anchors)
    return Shift(u, t, np.stack([u_reference, t_reference], axis=-1), np.stack([u_new, t_new], axis=-1))


def _slope_ratio(reference: Estimates, new: Estimates, anchors: Mask) -> tuple[float, Array, Array]:
    a_reference, a_new = reference.known[:, 0], new.known[:, 0]
    usable = anchors & (a_reference > 0) & (a_new > 0)
    safe_reference, safe_new = np.where(usable, a_reference, 1.0), np.where(usable, a_new, 1.0)
    variance = reference.blocks[:, 0, 0] / safe_reference**2 + new.blocks[:, 0, 0] / safe_new**2
    weights = _shares(variance, usable)
    u = float(np.exp(weights @ (np.log(safe_reference) - np.log(safe_new))))
    by_reference, by_new = np.zeros(reference.values.shape), np.zeros(new.values.shape)
    by_reference[:, 0], by_new[:, 0] = u * weights / safe_reference, -u * weights / safe_new
    return u, by_reference, by_new


def _intercept_shift(reference: Estimates, new: Estimates, anchors: Mask) -> tuple[float, Array, Array]:
    slope = new.known[:, :1]
    gap = (reference.known - new.known)[:, 1:]
    usable = (anchors & (slope[:, 0] > 0))[:, None] & reference.exists[:, 1:] & new.exists[:, 1:]
    variance = np.diagonal(reference.blocks + new.blocks, axis1=1, axis2=2)[:, 1:]
    weights = _shares(variance, usable)
    denominator = float(np.sum(weights * slope**2))
    t = float(np.sum(weights * slope * gap)) / denominator
    by_reference, by_new = np.zeros(reference.values.shape), np.zeros(new.values.shape)
    by_reference[:, 1:] = weights * slope / denominator
    by_new[:, 1:] = -by_reference[:, 1:]
    by_new[:, 0] = np.sum(weights * (gap - 2.0 * t * slope), axis=1) / denominator
    return t, by_reference, by_new


def _shares(variance: Array, usable: Mask) -> Array:
    """Inverse variances that sum to 1; equal where nothing varies (Rasch slopes)."""
    if not usable.any():
        raise ItemsError("no anchor has a positive slope in both calibrations; the two scales cannot be joined")
    positive = usable & (variance > 0)
    weights = np.where(positive, 1.0 / np.where(positive, variance, 1.0), 0.0) if positive.any() else 1.0 * usable
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def differences(reference: Estimates, new: Estimates, shift: Shift) -> Differences:
    """What remains between the calibrations after the shift, with the errors of both and of the shift itself."""
    tested = reference.tested & new.tested
    onto = _onto_reference(new, shift)
    by_shift = _by_shift(new)
    values = reference.known - np.einsum("ipq,iq->ip", onto, new.known)
    cross = reference.times(shift.by_reference) - onto @ new.times(shift.by_new)
    shared = by_shift @ np.swapaxes(cross, 1, 2)
    spread = by_shift @ shift.covariance(reference, new) @ np.swapaxes(by_shift, 1, 2)
    covariance = reference.blocks + onto @ new.blocks @ np.swapaxes(onto, 1, 2) + spread
    covariance = covariance - shared - np.swapaxes(shared, 1, 2)
    both = tested[:, :, None] & tested[:, None, :]
    covariance = np.where(both, covariance, np.eye(values.shape[1]))
    return Differences(np.where(tested, values, 0.0), covariance, np.sum(tested, axis=1))


def _onto_reference(new: Estimates, shift: Shift) -> Array:
    """(I, P, P) matrix that takes (a, α) to (u a, α + t a)."""
    n_items, width = new.values.shape
    onto = np.broadcast_to(np.eye(width), (n_items, width, width)).copy()
    onto[:, 0, 0] = shift.u
    onto[:, 1:, 0] = shift.t
    return onto


def _by_shift(new: Estimates) -> Array:
    """(I, P, 2) derivatives of the transformed parameters in (u, t)."""
    result = np.zeros((*new.values.shape, 2))
    result[:, 0, 0] = new.known[:, 0]
    result[:, 1:, 1] = new.known[:, :1]
    return result
