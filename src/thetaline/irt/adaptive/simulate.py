"""Whole adaptive tests, simulated for many persons at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._arguments import OnePrior, check_kinds, generator, one_normal_prior, person_abilities
from thetaline.irt._types import Array, Ids, Index, Labelled, Mask, short_repr
from thetaline.irt.adaptive.content import ContentLimits
from thetaline.irt.adaptive.criteria import criterion_named
from thetaline.irt.adaptive.exposure import Best, Exposure
from thetaline.irt.adaptive.next_item import Selection, Unavailable
from thetaline.irt.adaptive.posterior import Posterior
from thetaline.irt.adaptive.stopping import StopRule
from thetaline.irt.category_codes import open_ranges
from thetaline.irt.items import Items
from thetaline.irt.responses import Responses

BLOCK_CELLS = 1 << 20  # persons × items of the persons who are tested together


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class AdaptiveTests:
    """N tests of at most L items; columns beyond a test's end hold −1 and NaN."""

    items: Items
    person_ids: Ids  # (N,)
    true_theta: Array  # (N,)
    item: Index  # (N, L) positions in the bank, in the order asked
    answer: Index  # (N, L) categories
    theta: Array  # (N, L) EAP after each answer
    se: Array  # (N, L) posterior sd after each answer

    @property
    def n_items(self) -> Index:
        """Length of each test, (N,)."""
        return np.asarray((self.item >= 0).sum(axis=1))

    @property
    def final_theta(self) -> Array:
        """EAP at the end, (N,)."""
        return np.asarray(self.theta[np.arange(len(self.theta)), self.n_items - 1])

    @property
    def final_se(self) -> Array:
        """Posterior sd at the end, (N,)."""
        return np.asarray(self.se[np.arange(len(self.se)), self.n_items - 1])

    @property
    def exposure(self) -> Array:
        """Share of the tests that asked each item, (I,)."""
        asked = self.item[self.item >= 0]
        return np.asarray(np.bincount(asked, minlength=len(self.items)) / len(self.item))

    def responses(self) -> Responses:
        """The answers as a calibration or a scorer takes them."""
        person, place = np.nonzero(self.item >= 0)
        users, asked = self.person_ids[person], self.items.ids[self.item[person, place]]
        answers = Responses.from_long(users, asked, self.answer[person, place])
        ranges = open_ranges(self.items.take(answers.item_ids).lowest)
        return replace(answers, items_by_position=self.items.by_position, ranges=ranges)


def simulate_adaptive(
    items: Items,
    theta: Labelled,
    rng: np.random.Generator | int,
    *,
    stop: StopRule | None = None,
    method: str = "maximum-information",
    exposure: Exposure | None = None,
    content: ContentLimits | None = None,
    prior: OnePrior = (0.0, 1.0),
) -> AdaptiveTests:
    """Test persons of abilities `theta` (N,), start to end, scored by EAP under the prior after every answer.

    The labels of a Series or a mapping are the ids of the persons, who stay in its order; without they are 0 … N − 1.

    A test does not stop at its standard error before the minima of `content` are met.  Raises InputError for abilities
    and a prior that are not finite and for rules and limits that the bank cannot serve.
    """
    check_kinds(items=(items, Items))
    (ids, abilities), rng = person_abilities(theta), generator(rng)
    rule = checked_stop_rule(items, stop, content)
    if content is not None:
        content = content.of_length(rule.max_items)
        content.check_served(items, np.zeros((1, len(items)), dtype=bool))
    session = Session(
        items, Selection(criterion_named(method), exposure or Best(), content), rule, one_normal_prior(prior)
    )
    size = max(1, BLOCK_CELLS // len(items))
    blocks = [session.run(abilities[start : start + size], rng) for start in range(0, len(abilities), size)]
    columns = (np.concatenate(column) for column in zip(*blocks, strict=True))
    item, answer, path, se = columns
    return AdaptiveTests(items, ids, abilities, item.astype(np.intp), answer.astype(np.intp), path, se)


def checked_stop_rule(items: Items, stop: StopRule | None, content: ContentLimits | None) -> StopRule:
    """Return the rule, by default 30 items or as many as there are; raises InputError where the bank has too few."""
    most = len(items) if content is None else content.capacity(items)
    rule = stop or StopRule(max_items=min(30, most))
    if rule.max_items > most:
        under = "" if content is None else " under the content limits"
        raise InputError(f"tests of up to {rule.max_items} items need as many in the bank, which has {most}{under}")
    return rule


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """What the tests of a simulation share."""

    items: Items
    selection: Selection
    stop: StopRule
    prior: tuple[float, float]

    def run(self, theta: Array, rng: np.random.Generator) -> tuple[Any, Any, Array, Array]:
        """Test these persons until the last has ended: items, answers (−1 beyond the end), EAP and sd, (N, L) each."""
        shape = (len(theta), self.stop.max_items)
        item, answer = np.full((2, *shape), -1, dtype=np.intp)
        path, se = np.full((2, *shape), np.nan)
        posterior = Posterior.normal(*self.prior, len(theta))
        log_prob = self.items.log_prob(posterior.nodes)
        out = Unavailable(*np.zeros((2, len(theta), len(self.items)), dtype=bool))
        active = np.arange(len(theta))
        for place in range(self.stop.max_items):
            current = Posterior(posterior.nodes, posterior.weights[active])
            pick = self.selection.pick(self.items, current, out.of(active), rng)
            out.closed[active] |= pick.rejected
            current, active, chosen = _those(pick.chosen >= 0, current, active, pick.chosen)
            given = self._answers(theta[active], chosen, rng)
            current = current.after(log_prob[self.items.offsets[chosen] + given])
            posterior.weights[active], out.asked[active, chosen] = current.weights, True
            item[active, place], answer[active, place] = chosen, given
            path[active, place], se[active, place] = current.mean, current.sd
            active = active[~self._ended(place + 1, current.sd, out.asked[active])]
            if not active.size:
                break
        return item, answer, path, se

    def _ended(self, n_items: int, se: Array, asked: Mask) -> Mask:
        """Which tests are over: at their length, or precise enough with the minima of content met."""
        over = self.stop.stopped(np.full(len(se), n_items), se)
        if self.selection.content is None or n_items >= self.stop.max_items:
            return over
        return over & ~self.selection.content.unmet(self.items, asked)

    def _answers(self, theta: Array, chosen: Index, rng: np.random.Generator) -> Index:
        """Draw an answer of each person to the chosen item."""
        given = np.empty(len(theta), dtype=np.intp)
        uniform = rng.random(len(theta))
        for item in np.unique(chosen):
            mine = np.flatnonzero(chosen == item)
            p = np.exp(self.items.take([self.items.ids[item]]).log_prob(theta[mine]))
            given[mine] = (uniform[mine] >= np.cumsum(p, axis=0)[:-1]).sum(axis=0)
        return given


def _those(keep: Any, posterior: Posterior, active: Index, chosen: Index) -> tuple[Posterior, Index, Index]:
    return Posterior(posterior.nodes, posterior.weights[keep]), active[keep], chosen[keep]
