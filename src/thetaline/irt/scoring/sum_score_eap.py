"""EAP from sum scores, for tests that report a number of points (Thissen, Pommerich, Billeaud & Williams, 1995)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from thetaline.irt._arguments import OnePrior, check_kinds, one_normal_prior
from thetaline.irt._coding import frame
from thetaline.irt._types import Array, short_repr
from thetaline.irt.grid import normal_log_weights
from thetaline.irt.items import Items
from thetaline.irt.lord_wingersky import category_tables, sum_score_table
from thetaline.irt.scoring.quadrature import REACH

if TYPE_CHECKING:
    import pandas as pd

MIN_NODES = 121


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class SumScoreTable:
    """For every sum score 0 … S − 1: posterior mean and sd of θ, and the share of the population that gets it."""

    score: Array  # (S,)
    theta: Array  # (S,)
    se: Array  # (S,)
    probability: Array  # (S,)

    def to_frame(self) -> "pd.DataFrame":
        """One row a sum score; raises InputError where pandas is not installed."""
        return frame({"score": self.score, "theta": self.theta, "se": self.se, "probability": self.probability})


def sum_score_eap(items: Items, *, prior: OnePrior = (0.0, 1.0)) -> SumScoreTable:
    """Conversion table for persons who answer all `items`; the likelihood of a sum score by Lord & Wingersky (1984).

    Raises InputError for a prior that is none.
    """
    check_kinds(items=(items, Items))
    mean, sd = one_normal_prior(prior)
    nodes = mean + sd * np.linspace(-REACH, REACH, _n_nodes(items, sd))
    joint = sum_score_table(category_tables(items, nodes)) * np.exp(normal_log_weights(nodes, mean, sd))
    probability = joint.sum(axis=1)
    # a score that no ability gives with a probability above 1e-308 has no posterior: NaN says so
    with np.errstate(invalid="ignore"):
        theta = joint @ nodes / probability
        variance = np.einsum("sq,sq->s", joint, (nodes - theta[:, None]) ** 2) / probability
    return SumScoreTable(np.arange(len(theta), dtype=np.float64), theta, np.sqrt(variance), probability)


def _n_nodes(items: Items, sd: float) -> int:
    """So many that neighbours are no further apart than the narrowest posterior's sd."""
    told = items.information(np.linspace(-REACH, REACH, MIN_NODES) * sd).sum(axis=0).max()
    return max(MIN_NODES, int(np.ceil(2.0 * REACH * sd * np.sqrt(told + 1.0 / sd**2))) + 1)
