"""Churn: the probability that a learner falls silent, by a discrete-time hazard that has to beat the nightly S."""

from thetaline.learning.churn.accuracy import Accuracy as Accuracy, Comparison as Comparison
from thetaline.learning.churn.fit import fit_churn as fit_churn
from thetaline.learning.churn.landmarks import (
    MONTH_DAYS as MONTH_DAYS,
    Cohort as Cohort,
    LandmarkRows as LandmarkRows,
    landmark_rows as landmark_rows,
)
from thetaline.learning.churn.result import (
    ChurnFit as ChurnFit,
    Coefficients as Coefficients,
    InForce as InForce,
    Risks as Risks,
)
