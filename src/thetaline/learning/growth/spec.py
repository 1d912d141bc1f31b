"""What is asked of a growth fit: covariates, priors, which effects it has, and when it has converged."""

from dataclasses import dataclass, field

import numpy as np

from thetaline.errors import InputError
from thetaline.irt.priors import LogNormal, Normal
from thetaline.learning._types import Array


@dataclass(frozen=True, slots=True)
class GrowthPriors:
    """Weakly informative priors on the θ scale, per week where a slope is meant; `correlation` is of artanh ρ.

    A log-normal keeps a spread off zero, where thirty learners would often put it although none are alike (Chung,
    Rabe-Hesketh, Dorie, Gelman & Liu 2013). With many learners the priors vanish and the estimate is that of maximum
    likelihood. The medians are 1, 0.04, 0.4 and 0.05, each known to a factor of four.
    """

    level: Normal = field(default=Normal(0.0, 2.0))
    slope: Normal = field(default=Normal(0.0, 0.2))
    level_sd: LogNormal = field(default=LogNormal(0.0, 0.7))
    slope_sd: LogNormal = field(default=LogNormal(-3.2, 0.7))
    correlation: Normal = field(default=Normal(0.0, 0.5))
    topic_sd: LogNormal = field(default=LogNormal(-0.9, 0.7))
    walk_sd: LogNormal = field(default=LogNormal(-3.0, 0.7))

    def of_spread(self, name: str) -> Normal:
        """The normal prior of a spread's free parameter."""
        prior = getattr(self, name)
        return Normal(prior.mean_log, prior.sd_log) if isinstance(prior, LogNormal) else prior


DEFAULT_PRIORS = GrowthPriors()


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """Columns that shift the level or the slope of a learner; constant ones are dropped, and named, by the fit.

    The fit centres them: its intercept and slope are those of a learner with the means of those who have answers.
    """

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
    priors: GrowthPriors = DEFAULT_PRIORS
    topic_spread: bool = True
    process_noise: bool = True
    bend: bool = True
    tolerance: float = 0.02
    max_cycles: int = 60
    threads: int | None = None
