"""What tells a spoiled night from a sound one, in the answers and against what is published. Values in, values out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from thetaline.jobs.arrays import Array, Index, Ints, Objects
from thetaline.jobs.calibration.engine import AbilityEstimates, CalibrationReply, ItemEstimates
from thetaline.jobs.calibration.observations import Observations

MOVED = 5.0  # Wald statistic a degree of freedom: 7 of 1,000 stable items with two parameters lie beyond
SET_SLOPE = 0.05  # error of a slope without one
CHANCE = 3.0  # fewer than exp(-3) pairs of learners would share a pattern that counts as a copy


@dataclass(frozen=True, slots=True, eq=False)
class PublishedAbilities:
    """Current θ of learners, (N,)."""

    user_ids: Objects
    theta: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness:
    """None where there is nothing to compare with."""

    gain: float  # 2 (log-likelihood − that of items which share no ability)
    copied: float  # share of the answers
    moved: float | None  # share of the items in both calibrations whose parameters differ beyond their errors
    n_items: int  # in both
    theta_shift: float | None  # median change of a learner
    theta_correlation: float | None
    n_learners: int  # in both


def independence_log_likelihood(observations: Observations) -> float:
    """Of answers that no common ability joins: every item right with its own share."""
    n = observations.answers_per_item().astype(np.float64)
    right = np.bincount(observations.item, weights=observations.correct, minlength=n.size)
    share = right / np.maximum(n, 1.0)
    return float((xlogy(right, share) + xlogy(n - right, 1.0 - share)).sum())


def copied_share(observations: Observations, items: ItemEstimates, abilities: AbilityEstimates) -> float:
    """Share of the answers that belong to learners whose items and answers are all those of another one.

    Learners of one form may agree by chance: counted are patterns so unlikely under the model that of all pairs of
    learners with the same items hardly one would share them.
    """
    log_p = _log_probability(observations, items, abilities)
    by_user = np.bincount(observations.user, weights=log_p, minlength=observations.user_ids.size)
    same_items = _group_sizes(observations, observations.item)
    same_answers = _group_sizes(observations, 2 * observations.item.astype(np.intp) + observations.correct)
    copies = (same_answers > 1) & (-by_user > np.log(np.maximum(same_items * (same_items - 1) / 2, 1)) + CHANCE)
    return float(copies[observations.user].mean()) if observations.n_answers else 0.0


def _group_sizes(observations: Observations, code: NDArray[np.integer]) -> Ints:
    """(N,) how many learners have the same set of codes (M,), by sums of random 64-bit keys; a learner at least."""
    keys = np.random.default_rng(0).integers(0, 2**63, size=2 * observations.item_ids.size, dtype=np.uint64)
    total = np.zeros(observations.user_ids.size, dtype=np.uint64)
    np.add.at(total, observations.user, keys[code])
    _, which, count = np.unique(total, return_inverse=True, return_counts=True)
    return np.asarray(count[which], dtype=np.int64)


def _log_probability(observations: Observations, items: ItemEstimates, abilities: AbilityEstimates) -> Array:
    """(M,) of each answer; 0 where the item or the learner has no estimate."""
    item = _positions(observations.item_ids, items.item_ids)[observations.item]
    user = _positions(observations.user_ids, abilities.user_ids)[observations.user]
    known = (item >= 0) & (user >= 0)
    of = {name: values[item] for name, values in items.parameters.items()}
    c, d = of.get("c", np.zeros(1)), of.get("d", np.ones(1))
    p = c + (d - c) / (1.0 + np.exp(-of["a"] * (abilities.theta[user] - of["b"])))
    return np.where(known, np.log(np.where(observations.correct == 1, p, 1.0 - p)), 0.0)


def moved_share(new: ItemEstimates, old: ItemEstimates) -> tuple[float | None, int]:
    """Share of the common items whose (a, a b) differ beyond their errors (Wald), and the number of common items."""
    place = _positions(new.item_ids, old.item_ids)
    here = np.flatnonzero(place >= 0)
    (values, spread), (others, other_spread) = _slope_intercept(new, here), _slope_intercept(old, place[here])
    covariance = spread + other_spread
    with np.errstate(invalid="ignore"):
        tested = np.linalg.det(covariance) > 0
    if not tested.any():
        return None, 0
    change = (values - others)[tested]
    wald = (change * np.linalg.solve(covariance[tested], change[:, :, None])[:, :, 0]).sum(axis=1)
    return float((wald > 2 * MOVED).mean()), int(tested.sum())


def _slope_intercept(items: ItemEstimates, at: Index) -> tuple[Array, Array]:
    """(a, a b) of some items, (n, 2), and their covariance, (n, 2, 2), NaN where the error of b is unknown."""
    a, b = items.parameters["a"][at], items.parameters["b"][at]
    se_a, se_b = (items.se.get(name, np.full(items.item_ids.size, np.nan))[at] for name in "ab")
    cross = np.zeros(at.size) if items.covariance_ab is None else np.nan_to_num(items.covariance_ab[at])
    own = np.empty((at.size, 2, 2))
    # A slope that all items share has an error with all of them; one that is given has none: a little keeps the test.
    own[:, 0, 0] = np.where(se_a > 0, se_a, SET_SLOPE) ** 2
    own[:, 1, 1] = se_b**2
    own[:, 0, 1] = own[:, 1, 0] = np.where(se_a > 0, cross, 0.0)
    onto = np.zeros((at.size, 2, 2))
    onto[:, 0, 0], onto[:, 1, 0], onto[:, 1, 1] = 1.0, b, a
    covariance = onto @ own @ onto.transpose(0, 2, 1)
    return np.column_stack([a, a * b]), covariance


def theta_change(new: AbilityEstimates, old: PublishedAbilities) -> tuple[float | None, float | None, int]:
    """Median change and correlation of θ over the learners in both, and their number."""
    place = _positions(new.user_ids, old.user_ids)
    at = np.flatnonzero(place >= 0)
    if at.size < 2:
        return None, None, int(at.size)
    here, there = new.theta[at], old.theta[place[at]]
    spread = here.std() > 0 and there.std() > 0
    return float(np.median(here - there)), float(np.corrcoef(here, there)[0, 1]) if spread else None, int(at.size)


def _positions(ids: Objects, among: Objects) -> Index:
    """(n,) where each id is among others, −1 where it is not."""
    place = {str(name): k for k, name in enumerate(among.tolist())}
    return np.array([place.get(str(name), -1) for name in ids.tolist()], dtype=np.intp)


def soundness(
    observations: Observations,
    reply: CalibrationReply,
    *,
    items: ItemEstimates | None = None,
    abilities: PublishedAbilities | None = None,
) -> Soundness:
    """Look at the answers by themselves, and at what came out against the published `items` and `abilities`."""
    own = with_free_anchors(reply)
    moved, n_items = (None, 0) if items is None else moved_share(own, items)
    shift, correlation, n_learners = (None, None, 0) if abilities is None else theta_change(reply.abilities, abilities)
    return Soundness(
        gain=2.0 * (reply.fit.log_likelihood - independence_log_likelihood(observations)),
        copied=copied_share(observations, reply.items, reply.abilities),
        moved=moved,
        n_items=n_items,
        theta_shift=shift,
        theta_correlation=correlation,
        n_learners=n_learners,
    )


def with_free_anchors(reply: CalibrationReply) -> ItemEstimates:
    """What the answers say of every item: of anchors that were held, the free estimates."""
    items, free = reply.items, reply.free_anchors
    if free is None:
        return items
    at = _positions(free.item_ids, items.item_ids)

    def put(column: Array | None, values: Array | None) -> Array:
        out = np.full(items.item_ids.size, np.nan) if column is None else column.copy()
        out[at] = np.nan if values is None else values
        return out

    return ItemEstimates(
        item_ids=items.item_ids,
        parameters={name: put(values, free.parameters.get(name)) for name, values in items.parameters.items()},
        se={name: put(items.se.get(name), values) for name, values in free.se.items()},
        covariance_ab=put(items.covariance_ab, free.covariance_ab),
    )
