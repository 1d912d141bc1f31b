"""What answers tell by themselves of a spoiled night: no common ability, copied learners, days marked otherwise."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from thetaline.jobs.arrays import Array, Index, Int32s, Ints
from thetaline.jobs.calibration.engine import AbilityEstimates, ItemEstimates, positions
from thetaline.jobs.calibration.observations import Observations

CHANCE = 3.0  # fewer than exp(-3) pairs of learners would share a pattern that counts as a copy
LEAST_AGREEMENT = (
    0.5  # of a day's answers with the abilities: 1 under the model, 0 by chance, −1 where marks are inverted
)
FARTHEST = 0.7  # logits that a day's answers may lie above or below the abilities
ERRORS = 3.0  # standard errors that a day gets beyond these
FEWEST_ANSWERS = 20  # of a day: fewer are not normal
FEWEST_ITEMS = 5  # of a day, effectively: one item with a wrong key is no wrong day
TINY = 1e-9  # a day whose answers all have one logit says nothing of a slope


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
    p = _probabilities(observations, items, abilities)
    log_p = np.nan_to_num(np.log(np.where(observations.correct == 1, p, 1.0 - p)))
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


class OddDays(NamedTuple):
    """Days whose answers do not go with the abilities of those who gave them."""

    numbers: tuple[int, ...]  # as school calendars count them
    share: float  # of all answers


def odd_days(observations: Observations, day: Int32s, items: ItemEstimates, abilities: AbilityEstimates) -> OddDays:
    """Days that were marked by another rule than the rest: inverted, at random, all wrong; `day` (M,) are numbers.

    Under the model right answers follow the logit with slope 1 and level 0.  Both are estimated for each day by one
    Newton step, the slope beside a level of its own.
    """
    p = _probabilities(observations, items, abilities)
    known = (p > 0) & (p < 1)
    numbers, group = np.unique(day[known], return_inverse=True)
    p, right = p[known], observations.correct[known].astype(np.float64)
    logit, weight = np.log(p / (1.0 - p)), p * (1.0 - p)

    def sums(values: Array) -> Array:
        return np.asarray(np.bincount(group, values, minlength=numbers.size), dtype=np.float64)

    level = sums(weight)
    distance = logit - (sums(weight * logit) / level)[group]
    spread = np.maximum(sums(weight * distance**2), TINY)
    agreement = 1.0 + sums((right - p) * distance) / spread
    disagrees = agreement + ERRORS / np.sqrt(spread) < LEAST_AGREEMENT
    lies_off = np.abs(sums(right - p)) / level - ERRORS / np.sqrt(level) > FARTHEST
    n = sums(np.ones(p.size))
    told = (n >= FEWEST_ANSWERS) & (_effective_items(group, observations.item[known], n) >= FEWEST_ITEMS)
    odd = told & (disagrees | lies_off)
    return OddDays(tuple(numbers[odd].tolist()), float(odd[group].sum() / max(observations.n_answers, 1)))


def _effective_items(group: Index, item: Int32s, n: Array) -> Array:
    """(G,) n² / Σ n_i² over the items of a group's n answers: their number where all have as many."""
    pair, counts = np.unique(group * (int(item.max(initial=0)) + 1) + item, return_counts=True)
    squares = np.bincount(pair // (int(item.max(initial=0)) + 1), counts.astype(np.float64) ** 2, minlength=n.size)
    return np.asarray(n**2 / squares)


def _probabilities(observations: Observations, items: ItemEstimates, abilities: AbilityEstimates) -> Array:
    """(M,) of a right answer; NaN where the item or the learner has no estimate."""
    item = positions(observations.item_ids, items.item_ids)[observations.item]
    user = positions(observations.user_ids, abilities.user_ids)[observations.user]
    of = {name: values[item] for name, values in items.parameters.items()}
    c, d = of.get("c", np.zeros(1)), of.get("d", np.ones(1))
    p = c + (d - c) / (1.0 + np.exp(-of["a"] * (abilities.theta[user] - of["b"])))
    return np.where((item >= 0) & (user >= 0), p, np.nan)
