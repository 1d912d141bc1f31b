"""The M-step: Fisher scoring of all items at once on the expected counts, whatever their family.

Each item's penalised expected log-likelihood must not fall: a large step that lowers it is halved, and dropped in the
end.
Items that share a slope are solved together by their Schur complement.
"""

from collections import defaultdict
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thetaline.irt.calibration.model import Model, Part, State
from thetaline.irt.calibration.penalty import penalty
from thetaline.irt.families.base import Terms
from thetaline.irt.priors import Priors

Array = NDArray[np.float64]

HALVINGS = 8
LARGEST_STEP = 2.0  # of a free parameter in one Newton step: farther, the quadratic model says nothing
SAFE_STEP = 0.1  # below it Newton does not overshoot, and the climb would notice
ROUNDING = 1e-12  # of a sum, relative to it
RIDGE = 1e-10  # of the trace, so that an item without information stays where it is


def improve_items(model: Model, state: State, theta: Array, counts: Array, priors: Priors, *, steps: int) -> State:
    """Take Newton steps for all estimated items at nodes `theta` (G, Q) with `counts` (G, sum of K, Q)."""
    nodes = theta.ravel()
    tied: dict[str, list[int]] = defaultdict(list)
    free = list(state.free)
    observed = [stacked_counts(counts, model, part) for part in model.parts]
    for k, part in enumerate(model.parts):
        if part.tie:
            tied[part.tie].append(k)
    for _ in range(steps):
        for k, part in enumerate(model.parts):
            if not part.tie:
                free[k] = _separate_step(part, free[k], nodes, observed[k], priors)
        for members in tied.values():
            _tied_step(model, free, members, nodes, observed, priors)
    return replace(state, free=tuple(free))


def stacked_counts(counts: Array, model: Model, part: Part) -> Array:
    """Expected counts of a part over the nodes of all groups, (I, K, G Q)."""
    rows = counts[:, model.codes(part)]
    return np.moveaxis(rows, 0, 2).reshape(len(part.index), part.n_categories, -1)


def terms(part: Part, free: Array, nodes: Array, observed: Array, priors: Priors) -> Terms:
    """Return gradient and expected information of the items of a part, penalty included."""
    gradient, information = part.family.scoring_terms(free, nodes, observed)
    if not priors.flat:
        prior = penalty(part, free, priors)
        gradient, information = gradient + prior.gradient, information + prior.curvature
    diagonal = np.arange(free.shape[1])
    information[:, diagonal, diagonal] += RIDGE * information.trace(axis1=1, axis2=2)[:, None] + 1e-300
    if not part.slope_free:
        gradient[:, 0], information[:, 0], information[:, :, 0] = 0.0, 0.0, 0.0
        information[:, 0, 0] = 1.0
    return Terms(gradient, information)


def expected_objective(part: Part, free: Array, nodes: Array, observed: Array, priors: Priors) -> Array:
    """Return each item's expected log-likelihood plus log prior, (I,); -inf where `free` is no model."""
    valid = part.family.valid(free)
    out = np.full(len(free), -np.inf)
    good = free[valid]
    if len(good):
        log_p = part.family.log_prob(good, nodes)
        out[valid] = np.where(observed[valid] > 0, observed[valid] * log_p, 0.0).sum(axis=(1, 2))
        if not priors.flat:
            out[valid] += penalty(part, good, priors).value
    return out


def _separate_step(part: Part, free: Array, nodes: Array, observed: Array, priors: Priors) -> Array:
    at = terms(part, free, nodes, observed, priors)
    step = _capped(np.linalg.solve(at.information, at.gradient[:, :, None])[:, :, 0])
    out = free + step
    watched = np.flatnonzero((np.abs(step).max(axis=1) > SAFE_STEP) | ~part.family.valid(out))
    before = expected_objective(part, free[watched], nodes, observed[watched], priors)
    for _ in range(HALVINGS):
        if not watched.size:
            return out
        after = expected_objective(part, out[watched], nodes, observed[watched], priors)
        worse = ~(after >= before - ROUNDING * np.abs(before))
        watched, before = watched[worse], before[worse]
        step[watched] *= 0.5
        out[watched] = free[watched] + step[watched]
    out[watched] = free[watched]
    return out


def _tied_step(
    model: Model, free: list[Array], members: list[int], nodes: Array, observed: list[Array], priors: Priors
) -> None:
    """One step for items that share their slope, in place in `free`."""
    parts = [model.parts[k] for k in members]
    at = [terms(part, free[k], nodes, observed[k], priors) for k, part in zip(members, parts, strict=True)]
    steps = _schur_steps(at)

    def total(values: list[Array]) -> float:
        pieces = zip(members, parts, values, strict=True)
        return float(sum(expected_objective(p, value, nodes, observed[k], priors).sum() for k, p, value in pieces))

    before, scale = total([free[k] for k in members]), 1.0
    for _ in range(HALVINGS):
        new = [free[k] + scale * step for k, step in zip(members, steps, strict=True)]
        if total(new) >= before - ROUNDING * abs(before):
            for k, value in zip(members, new, strict=True):
                free[k] = value
            return
        scale *= 0.5


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
