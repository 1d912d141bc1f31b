"""What the fit statistics read off a calibration."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from thetaline.errors import InputError, ResponsesError
from thetaline.irt._alignment import aligned
from thetaline.irt._arguments import check_kinds, shown
from thetaline.irt._types import Array, Index, Labelled, Mask
from thetaline.irt.category_codes import as_coded
from thetaline.irt.families import FAMILIES
from thetaline.irt.items import Items
from thetaline.irt.population import Population
from thetaline.irt.responses import Responses, items_of
from thetaline.irt.scoring import score


class Calibration(Protocol):
    """The part of `irt.calibrate`'s result that is read here."""

    @property
    def items(self) -> Items:
        """The bank."""

    @property
    def population(self) -> Population:
        """Distribution of θ per group, with the nodes and weights that the fit ended with."""

    @property
    def anchored(self) -> Mask:
        """Whether an item was held fixed, (I,)."""


class Estimated(NamedTuple):
    """A bank, which of its items were held fixed, the population, and the group of every person."""

    items: Items
    fixed: Mask  # (I,)
    population: Population
    group: Index  # (N,)

    def prior(self) -> tuple[Array, Array]:
        """Mean and sd of each person's population, (N,) each."""
        return self.population.mean[self.group], self.population.sd[self.group]

    def n_estimated(self, item: int) -> int:
        """Parameters of an item that the data decided: none of an anchor; a shared slope counts with each item."""
        family = FAMILIES[str(self.items.model[item])]
        return 0 if self.fixed[item] else family.n_free(int(self.items.n_categories[item]))


def check_fit(fit: object, responses: object) -> None:
    """Raise InputError for what is no calibration, or no responses."""
    if not all(hasattr(fit, name) for name in ("items", "population", "anchored")):
        raise InputError(f"fit must be a Fit, not {shown(fit)}; irt.calibrate makes one")
    check_kinds(responses=(responses, Responses))


def estimated(fit: Calibration, responses: Responses, groups: Labelled | None) -> Estimated:
    """Match persons to the groups of the calibration; with one group no labels are needed.

    Raises InputError where labels are missing or unknown, ResponsesError where they are not one a person.
    """
    codes = _codes(fit.population, responses, groups)
    return Estimated(fit.items, fit.anchored, fit.population, codes)


def _codes(population: Population, responses: Responses, groups: Labelled | None) -> Index:
    if len(population.groups) == 1:
        return np.zeros(responses.n_persons, dtype=np.intp)
    if groups is None:
        raise InputError(f"the calibration has groups {list(population.groups)[:5]}; give `groups`, a label a person")
    labels = aligned(groups, responses.person_ids, "groups").tolist()
    if len(labels) != responses.n_persons:
        raise ResponsesError(f"{len(labels)} group labels for {responses.n_persons} persons")
    place = {label: code for code, label in enumerate(population.groups)}
    unknown = [label for label in dict.fromkeys(labels) if label not in place]
    if unknown:
        raise InputError(f"groups {unknown[:5]} were not calibrated; the calibration has {list(population.groups)[:5]}")
    return np.array([place[label] for label in labels], dtype=np.intp)


def answers_within(items: Items, responses: Responses) -> Responses:
    """Leave out the answers to items that the bank does not hold, and count categories as it does; every person stays.

    Raises ResponsesError where there were answers and none is left.
    """
    known = np.isin(responses.item_ids, items.ids)
    if known.all():
        return as_coded(responses, items)
    if responses.n_observations and not known[responses.item].any():
        raise ResponsesError(
            f"none of the {responses.n_items} items answered is among the {len(items)} calibrated ones; "
            "are the ids of one type and from one bank?"
        )
    return as_coded(items_of(responses, known), items)


def abilities(model: Estimated, responses: Responses) -> Array:
    """(N,) EAP of every person under their own population; NaN for a person without answers."""
    theta = score(responses, model.items, method="EAP", prior=model.prior()).theta
    return np.where(np.diff(responses.indptr) > 0, theta, np.nan)
