"""What makes an item worth asking next: values (N, I), larger is better."""

from collections.abc import Callable

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._types import Array
from thetaline.irt.adaptive.posterior import Belief
from thetaline.irt.items import Items

Criterion = Callable[[Items, Belief], Array]


def maximum_information(items: Items, belief: Belief) -> Array:
    """Fisher information at the mean of the belief (Lord, 1980)."""
    return np.asarray(items.information(belief.mean).T)


def posterior_weighted(items: Items, belief: Belief) -> Array:
    """Fisher information averaged over the belief (van der Linden, 1998): steadier while little is known."""
    return np.asarray(belief.weights @ items.information(belief.nodes).T)


CRITERIA: dict[str, Criterion] = {
    "maximum-information": maximum_information,
    "posterior-weighted": posterior_weighted,
}


def criterion_named(name: str) -> Criterion:
    """The criterion of that name; raises InputError with the names that are known."""
    if name not in CRITERIA:
        raise InputError(f"unknown selection method {name!r}; known are {', '.join(CRITERIA)}")
    return CRITERIA[name]
