"""What a fit of churn returns: the model, what was held out, the verdict on the nightly S, every learner's risk."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from thetaline.learning._types import Array, Mask
from thetaline.learning.churn.accuracy import Accuracy, Comparison


class InForce(StrEnum):
    """Whose probability is the risk."""

    LANDMARK_HAZARD = "landmark_hazard"
    INACTIVITY = "inactivity"  # the nightly S stays


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """(P',) each: exp(β) is the ratio of hazards for one unit more."""

    names: tuple[str, ...]
    beta: Array
    se: Array

    @property
    def hazard_ratio(self) -> Array:
        """exp(β)."""
        return np.exp(self.beta)


@dataclass(frozen=True, slots=True, eq=False)
class Risks:
    """(n_learners,) each, NaN for one who is not at risk on the last day: silent for 14 days already, or unknown."""

    risk: Array  # in force
    landmark_hazard: Array
    inactivity: Array
    hazard_ratio: Array  # to the mean of those at risk
    rank_percentile: Array  # 0..100, the highest risk 100


@dataclass(frozen=True, slots=True, eq=False)
class ChurnFit:
    """`accuracy` has the hold-outs' of all rows and of each group, for the model, and of both baselines."""

    already_silent: Mask
    n_rows: int
    n_silent: int
    coefficients: Coefficients | None = None
    dropped: tuple[str, ...] = ()
    risks: Risks | None = None
    in_force: InForce = InForce.INACTIVITY
    comparisons: tuple[Comparison, ...] = ()
    accuracy: Mapping[str, Accuracy] = field(default_factory=dict)
    n_holdouts: int = 0
    reason: str = ""  # why nothing is fitted

    @property
    def is_fitted(self) -> bool:
        """Whether there is a model; else `reason` says why not."""
        return not self.reason
