"""Growth lines from answers: θ of a learner as level now and slope a week, with honest errors; goals from them."""

from thetaline.learning.growth.answers import NO_TOPIC as NO_TOPIC, GrowthAnswers as GrowthAnswers
from thetaline.learning.growth.fit import fit_growth as fit_growth
from thetaline.learning.growth.prediction import (
    GoalProbability as GoalProbability,
    Prediction as Prediction,
    goal_probability as goal_probability,
    predict as predict,
)
from thetaline.learning.growth.result import (
    NO_WEEK as NO_WEEK,
    FixedEffects as FixedEffects,
    GrowthDiagnostics as GrowthDiagnostics,
    GrowthFit as GrowthFit,
    GrowthStatus as GrowthStatus,
    LearnerLines as LearnerLines,
)
from thetaline.learning.growth.spec import (
    DEFAULT_PRIORS as DEFAULT_PRIORS,
    Covariates as Covariates,
    GrowthPriors as GrowthPriors,
    GrowthSpec as GrowthSpec,
)
