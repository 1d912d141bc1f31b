"""What is asked of a growth fit: covariates, priors, which effects it has, and when it has converged."""

from dataclasses import dataclass, field

import numpy as np

from thetaline.errors import InputError
from thetaline.learning._types import Array


@dataclass(frozen=True, slots=True)
class GrowthPriors:
    """Weakly informative priors on the θ scale, per week where a slope is meant.

    Coefficients are normal around 0, standard deviations half-normal with the given scale, the correlation has the
    density (1 − ρ²)^(lkj − 1) (Lewandowski, Kurowicka & Joe 2009). They matter for a class of thirty and vanish
    in a cohort: with many learners the estimate is that of maximum likelihood.
    """

    level: float = 2.0
    slope: float = 0.2
    level_sd: float = 1.5
    slope_sd: float = 0.1
    topic_sd: float = 0.6
    walk_sd: float = 0.1
    lkj: float = 2.0

    def __post_init__(self) -> None:
        """Refuse scales that are not positive."""
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise InputError(f"prior {name} is {value}; it must be a positive number")


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """Columns that shift the level or the slope of a learner; constant ones are dropped, and named, by the fit."""

    values: Array  # (N, k)
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a table without a name a column, or with values that are not finite."""
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise InputError(f"covariates of shape {self.values.shape} with {len(self.names)} names: one name a column")
        if not np.isfinite(self.values).all():
            row = int((~np.isfinite(self.values)).any(axis=1).argmax())
            raise InputError(
                f"a covariate of learner {row} is not a finite number; leave the learner out or fill it in"
            )


@dataclass(frozen=True, slots=True, eq=False)
class GrowthSpec:
    """The model to fit, with weeks centred on `now_week`, the last calendar week that is over.

    `topic_spread` adds learner × topic deviations, `process_noise` a random walk around each learner's line, `bend`
    lets a plateau replace the line where it predicts better. `tolerance` bounds the distance to the maximum in
    standard errors. `threads` None takes all processors.
    """

    now_week: int
    level_covariates: Covariates | None = None
    slope_covariates: Covariates | None = None
    priors: GrowthPriors = field(default_factory=GrowthPriors)
    topic_spread: bool = True
    process_noise: bool = True
    bend: bool = True
    tolerance: float = 0.02
    max_cycles: int = 60
    threads: int | None = None
