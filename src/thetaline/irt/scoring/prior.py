"""The normal prior of a score: one for all persons, or one a person."""

import numpy as np
from numpy.typing import ArrayLike

from thetaline.errors import InputError
from thetaline.irt._arguments import normal_prior
from thetaline.irt._types import Array


def prior_columns(prior: tuple[ArrayLike, ArrayLike], n_persons: int) -> tuple[Array, Array]:
    """Mean and sd as (N,) columns; raises InputError for what is no prior."""
    mean, sd = normal_prior(prior)
    for name, part in (("mean", mean), ("sd", sd)):
        if part.shape not in ((), (n_persons,)):
            raise InputError(f"the prior's {name} has the shape {part.shape}; one number or ({n_persons},) is needed")
    return np.broadcast_to(mean, n_persons).copy(), np.broadcast_to(sd, n_persons).copy()
