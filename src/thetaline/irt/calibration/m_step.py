"""The M-step: Fisher scoring of all items at once on the expected counts, whatever their family.

Each item's penalised expected log-likelihood must not fall: a large step that lowers it is halved, and dropped in the
end.  Items that share a slope are solved together by their Schur complement.
"""

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thetaline.irt._types import Array, Index, Mask
from thetaline.irt.calibration.log_prior import block_log_prior
from thetaline.irt.calibration.model import ASYMPTOTE_BOUND, EmState, ItemBlock, Model
from thetaline.irt.families.base import Terms
from thetaline.irt.priors import Priors

HALVINGS = 8
LARGEST_STEP = 2.0  # of a free parameter in one Newton step: farther, the quadratic model says nothing
SAFE_STEP = 0.1  # below it Newton does not overshoot, and the E-step notices
FLAT = 0.5  # a slope below which the published b = -e / a, and with it the prior on b, turns within a short step
ROUNDING = 1e-12  # of a sum, relative to it
RIDGE = 1e-10  # of the trace, so that an item without information stays where it is


@dataclass(frozen=True, slots=True, eq=False)
class BlockCounts:
    """Expected counts of one block's items: the complete data that its M-step sees."""

    block: ItemBlock
    nodes: Array  # (Q,), those of all groups in a row
    observed: Array  # (I, K, Q)
    priors: Priors

    def some(self, rows: Index) -> "BlockCounts":
        """Return the counts of some of the items."""
        return replace(self, observed=self.observed[rows])

    def terms(self, free: Array) -> Terms:
        """Gradient and expected information, log prior included."""
        gradient, information = self.block.family.scoring_terms(free, self.nodes, self.observed)
        if not self.priors.flat:
            prior = block_log_prior(self.block, free, self.priors)
            gradient, information = gradient + prior.gradient, information + prior.curvature
            information[:, 0, 0] += prior.slope_curvature
        diagonal = np.arange(free.shape[1])
        information[:, diagonal, diagonal] += RIDGE * information.trace(axis1=1, axis2=2)[:, None] + 1e-300
        held = self._held(free, gradient)
        gradient[held] = 0.0
        information[held[:, :, None] | held[:, None, :]] = 0.0
        information[:, diagonal, diagonal] += held
        return Terms(gradient, information)

    def _held(self, free: Array, gradient: Array) -> Mask:
        """Parameters that stay, (I, P): slopes that are given, asymptotes at a bound that they are driven against."""
        held = np.zeros(free.shape, dtype=bool)
        held[:, 0] = not self.block.slope_free
        asymptotes = slice(self.block.first_asymptote, None)
        at_bound = np.abs(free[:, asymptotes]) >= ASYMPTOTE_BOUND
        held[:, asymptotes] = at_bound & (gradient[:, asymptotes] * free[:, asymptotes] > 0)
        return held

    def objective(self, free: Array) -> Array:
        """Each item's expected log-likelihood plus log prior, (I,); -inf where `free` is no model."""
        valid = self.block.family.valid(free)
        out = np.full(len(free), -np.inf)
        good, observed = free[valid], self.observed[valid]
        if len(good):
            log_p = self.block.family.log_prob(good, self.nodes)
            out[valid] = np.where(observed > 0, observed * log_p, 0.0).sum(axis=(1, 2))
            if not self.priors.flat:
                out[valid] += block_log_prior(self.block, good, self.priors).value
        return out

    def gradient(self, free: Array) -> Array:
        """Derivative of `objective`, (I, P)."""
        derivative = self.block.family.d_log_prob(free, self.nodes).reshape(*free.shape, -1)
        out = (derivative @ self.observed.reshape(len(free), -1, 1))[:, :, 0]
        return out if self.priors.flat else out + block_log_prior(self.block, free, self.priors).gradient


def counts_by_block(model: Model, theta: Array, counts: Array, priors: Priors) -> list[BlockCounts]:
    """Arrange expected counts (G, sum of K, Q) at nodes `theta` (G, Q) by block, the groups' nodes in a row."""
    out = []
    for block in model.item_blocks:
        rows = np.moveaxis(counts[:, model.codes(block)], 0, 2)
        observed = rows.reshape(len(block.index), block.n_categories, -1)
        out.append(BlockCounts(block, theta.ravel(), observed, priors))
    return out


def item_m_step(model: Model, state: EmState, expected: list[BlockCounts], *, steps: int) -> EmState:
    """Take Newton steps for all estimated items."""
    tied: dict[str, list[int]] = defaultdict(list)
    for k, block in enumerate(model.item_blocks):
        if block.tie:
            tied[block.tie].append(k)
    free = list(state.free)
    for _ in range(steps):
        for k, counts in enumerate(expected):
            if not counts.block.tie:
                free[k] = separate_step(counts, free[k])
        for members in tied.values():
            together = _tied_step([expected[k] for k in members], [free[k] for k in members])
            for k, values in zip(members, together, strict=True):
                free[k] = values
    return replace(state, free=tuple(free))


def separate_step(counts: BlockCounts, free: Array) -> Array:
    """Take one step for every item by itself, whatever slope the items share."""
    at = counts.terms(free)
    step = _capped(np.linalg.solve(at.information, at.gradient[:, :, None])[:, :, 0])
    out = free + step
    risky = (np.abs(step).max(axis=1) > SAFE_STEP) | ~counts.block.family.valid(out)
    if not counts.priors.flat:  # near a = 0 the published b = -e / a, and with it the prior, turns within a short step
        risky |= np.abs(free[:, 0]) < FLAT
    watched = np.flatnonzero(risky)
    before = counts.some(watched).objective(free[watched])
    for _ in range(HALVINGS):
        if not watched.size:
            return out
        after = counts.some(watched).objective(out[watched])
        worse = ~(after >= before - ROUNDING * np.abs(before))
        watched, before = watched[worse], before[worse]
        step[watched] *= 0.5
        out[watched] = free[watched] + step[watched]
    out[watched] = free[watched]
    return out


def _tied_step(expected: list[BlockCounts], free: list[Array]) -> list[Array]:
    """One step for blocks that share their slope; the same values when no shortened step goes uphill."""
    steps = _schur_steps([counts.terms(values) for counts, values in zip(expected, free, strict=True)])

    def total(at: list[Array]) -> float:
        return float(sum(counts.objective(values).sum() for counts, values in zip(expected, at, strict=True)))

    before, scale = total(free), 1.0
    for _ in range(HALVINGS):
        new = [values + scale * step for values, step in zip(free, steps, strict=True)]
        if total(new) >= before - ROUNDING * abs(before):
            return new
        scale *= 0.5
    return free


def _schur_steps(at: list[Terms]) -> list[Array]:
    """Newton steps with column 0 common to all items: eliminate their own parameters, solve for the shared one."""
    gradient = information = 0.0
    inner = []
    for c in at:
        own = np.linalg.solve(c.information[:, 1:, 1:], np.stack([c.gradient[:, 1:], c.information[:, 1:, 0]], axis=2))
        gradient += float((c.gradient[:, 0] - (c.information[:, 0, 1:] * own[:, :, 0]).sum(axis=1)).sum())
        information += float((c.information[:, 0, 0] - (c.information[:, 0, 1:] * own[:, :, 1]).sum(axis=1)).sum())
        inner.append(own)
    shared = float(np.clip(gradient / information, -LARGEST_STEP, LARGEST_STEP))
    return [
        np.column_stack([np.full(len(own), shared), _capped(own[:, :, 0] - own[:, :, 1] * shared)]) for own in inner
    ]


def _capped(step: NDArray[np.floating]) -> Array:
    """Shorten each item's step so that no parameter moves farther than LARGEST_STEP."""
    longest = np.abs(step).max(axis=1, keepdims=True)
    return np.asarray(step * np.minimum(1.0, LARGEST_STEP / np.maximum(longest, LARGEST_STEP)))
