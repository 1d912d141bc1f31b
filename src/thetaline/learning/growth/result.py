"""What a growth fit returns: the cohort's line, how learners spread around it, and every learner's own line."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import InputError
from thetaline.learning._types import Array, Int32s
from thetaline.learning.growth.model import Spreads
from thetaline.learning.growth.spec import GrowthSpec

NO_WEEK = np.iinfo(np.int32).min


class GrowthStatus(StrEnum):
    """How a fit ended; the words are those of the meta table."""

    FITTED = "fitted"
    SIMPLIFIED = "simplified"
    NOT_FITTED = "not fitted"


@dataclass(frozen=True, slots=True, eq=False)
class FixedEffects:
    """Coefficients of the cohort's line: "intercept" is θ now, "slope" its change a week, then the covariates'."""

    names: tuple[str, ...]
    estimate: Array  # (F,)
    se: Array  # (F,)

    @property
    def z(self) -> Array:
        """Estimate over its standard error."""
        return self.estimate / self.se


@dataclass(frozen=True, slots=True)
class GrowthDiagnostics:
    """What decides whether a fit may be published."""

    n_learners: int  # with an answer
    n_answers: int
    n_weeks: int
    n_learners_searched: int  # learners whose answers the search for the maximum read; a last step reads all
    distance: float  # standard errors from the maximum
    effective_draws: float  # of the points that stand for the parameters' uncertainty; NaN where it is negligible


@dataclass(frozen=True, slots=True, eq=False)
class LearnerLines:
    """Posterior of every learner, (N,) each: θ now, its change a week, their standard deviations and correlation.

    A learner without answers (`n_answers` 0) has the cohort's line and its spread: a prediction, not a measurement.
    `bend_week` is the week from which a learner's θ more likely stays level, `NO_WEEK` where the line goes on to now;
    level and slope are those from now on, averaged over both by their probability.
    """

    level: Array
    slope: Array
    sd_level: Array
    sd_slope: Array
    correlation: Array
    n_answers: Int32s
    n_weeks: Int32s  # with an answer
    first_week: Int32s  # NO_WEEK without answers
    last_week: Int32s
    bend_week: Int32s

    @property
    def bent(self) -> NDArray[np.bool_]:
        """(N,) whose line more likely ended than goes on."""
        return np.asarray(self.bend_week != NO_WEEK)


@dataclass(frozen=True, slots=True, eq=False)
class GrowthFit:
    """A fit, or in `reason` why there is none; without one `learners` is None, effects are empty and spreads 0.

    `dropped` names what a simplified model leaves out. `spreads_se` has the standard errors of `spreads`, NaN of those
    that are not free.
    """

    spec: GrowthSpec
    status: GrowthStatus
    reason: str
    dropped: tuple[str, ...]
    fixed: FixedEffects
    spreads: Spreads
    spreads_se: Spreads
    log_likelihood: float
    cycles: int
    diagnostics: GrowthDiagnostics
    learners: LearnerLines | None

    @property
    def fitted(self) -> bool:
        """Whether there are lines to publish."""
        return self.learners is not None

    def lines(self) -> LearnerLines:
        """The learners' lines; raises InputError where there are none."""
        if self.learners is None:
            raise InputError(f"there are no growth lines: not fitted because {self.reason}")
        return self.learners


def not_fitted(spec: GrowthSpec, reason: str, diagnostics: GrowthDiagnostics) -> GrowthFit:
    """The value of data that no line can be fitted to."""
    nothing = FixedEffects((), np.empty(0), np.empty(0))
    zero, unknown = Spreads(0.0, 0.0, 0.0, 0.0, 0.0), Spreads(*[np.nan] * 5)
    return GrowthFit(
        spec=spec,
        status=GrowthStatus.NOT_FITTED,
        reason=reason,
        dropped=(),
        fixed=nothing,
        spreads=zero,
        spreads_se=unknown,
        log_likelihood=np.nan,
        cycles=0,
        diagnostics=diagnostics,
        learners=None,
    )
