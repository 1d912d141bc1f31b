"""What makes an item worth asking next: values (N, I), larger is better."""

from collections.abc import Callable

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._types import Array
from thetaline.irt.adaptive.posterior import Posterior
from thetaline.irt.items import Items

Criterion = Callable[[Items, Posterior], Array]


def maximum_information(items: Items, posterior: Posterior) -> Array:
    """Fisher information at the mean of the posterior (Lord, 1980)."""
    return np.asarray(items.information(posterior.mean).T)


def posterior_weighted(items: Items, posterior: Posterior) -> Array:
    """Fisher information averaged over the posterior (van der Linden, 1998): steadier while little is known."""
    return np.asarray(posterior.weights @ items.information(posterior.nodes).T)


CRITERIA: dict[str, Criterion] = {
    "maximum-information": maximum_information,
    "posterior-weighted": posterior_weighted,
}


def criterion_named(name: str) -> Criterion:
    """The criterion of that name; raises InputError with the names that are known."""
    if name not in CRITERIA:
        raise InputError(f"unknown selection method {name!r}; known are {', '.join(CRITERIA)}")
    return CRITERIA[name]
