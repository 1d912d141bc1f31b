"""Whether answers can carry a growth model, and which parts of it."""

from typing import NamedTuple

import numpy as np

from thetaline.learning._types import Array, Int32s
from thetaline.learning.attempts import pair_key
from thetaline.learning.growth.answers import NO_TOPIC, GrowthAnswers
from thetaline.learning.growth.marginal import Cohort
from thetaline.learning.growth.model import GrowthModel
from thetaline.learning.growth.result import GrowthDiagnostics
from thetaline.learning.growth.spec import Covariates, GrowthSpec

MIN_LEARNERS = 5
MIN_WEEKS = 2
MIN_REPEATED = 3  # learners with answers in two weeks, below which slopes have no spread of their own
MIN_TOPICS = 2
WALK_WEEKS = 3  # from which a deviation from a line can be told from its slope


class Prepared(NamedTuple):
    """The cohort, names of the coefficients, and what was left out of the model that was asked for."""

    cohort: Cohort
    names: tuple[str, ...]
    dropped: tuple[str, ...]


def prepared(answers: GrowthAnswers, spec: GrowthSpec) -> Prepared | str:
    """What to fit, or in words why there is nothing to fit."""
    reason = why_not(answers)
    if reason:
        return reason
    answers = answers.by_learner()
    level, level_names, constant = _design(spec.level_covariates, answers, "intercept", "level: ")
    slope, slope_names, also = _design(spec.slope_covariates, answers, "slope", "slope: ")
    model, dropped = _effects(answers, spec, level.shape[1], slope.shape[1])
    weeks = np.unique(answers.week).astype(np.intp)
    from_now = (weeks - spec.now_week).astype(np.float64)
    cohort = Cohort(answers, model, weeks, from_now, from_now, level, slope)
    return Prepared(cohort, level_names + slope_names, constant + also + dropped)


def why_not(answers: GrowthAnswers) -> str:
    """Words for what no line can be fitted to; empty where one can."""
    if not answers.n_answers:
        return "there are no answers"
    n_learners, n_weeks = np.unique(answers.learner).size, np.unique(answers.week).size
    if n_learners < MIN_LEARNERS:
        return f"{n_learners} of at least {MIN_LEARNERS} learners have answers"
    if n_weeks < MIN_WEEKS:
        return f"all answers are of {n_weeks} week; a line needs at least {MIN_WEEKS}"
    top = answers.bank.n_categories[answers.item] - 1
    if (answers.category == top).all():
        return f"all {answers.n_answers} answers are right; items as hard as the learners are needed"
    if (answers.category == 0).all():
        return f"all {answers.n_answers} answers are wrong; items as easy as the learners need them are needed"
    return ""


def diagnostics(answers: GrowthAnswers, *, distance: float = np.nan) -> GrowthDiagnostics:
    """Counts of the data, with what the search tells."""
    n_learners = np.unique(answers.learner).size
    return GrowthDiagnostics(n_learners, answers.n_answers, np.unique(answers.week).size, n_learners, distance, np.nan)


def _effects(
    answers: GrowthAnswers, spec: GrowthSpec, n_level: int, n_slope: int
) -> tuple[GrowthModel, tuple[str, ...]]:
    repeated = _learners_with(answers.learner, answers.week, MIN_WEEKS)
    named = answers.topic != NO_TOPIC
    topics = _learners_with(answers.learner[named], answers.topic[named], MIN_TOPICS)
    can = {
        "slope variance": repeated >= MIN_REPEATED,
        "topic spread": topics >= MIN_REPEATED,
        "process noise": _learners_with(answers.learner, answers.week, WALK_WEEKS) >= MIN_REPEATED,
    }
    asked = {"slope variance": True, "topic spread": spec.topic_spread, "process noise": spec.process_noise}
    model = GrowthModel(n_level, n_slope, *(asked[name] and can[name] for name in can))
    return model, tuple(name for name in can if asked[name] and not can[name])


def _learners_with(learner: Int32s, of: Int32s, least: int) -> int:
    """How many learners have at least `least` different values."""
    pairs = np.unique(pair_key(learner, of)) >> 32
    return int((np.bincount(pairs) >= least).sum())


def _design(
    given: Covariates | None, answers: GrowthAnswers, first: str, prefix: str
) -> tuple[Array, tuple[str, ...], tuple[str, ...]]:
    """Ones and the columns that vary among learners with answers; names of all, and of those that do not vary.

    Columns are centred: of a column far from 0, as years are, the intercept's prior would leave no effect.
    """
    ones = np.ones((answers.n_learners, 1))
    if given is None:
        return ones, (first,), ()
    present = given.values[np.unique(answers.learner)]
    varies = np.ptp(present, axis=0) > 0
    names = np.array([prefix + name for name in given.names], dtype=object)
    dropped = tuple(f"constant covariate {name}" for name in names[~varies])
    centred = (given.values - present.mean(axis=0))[:, varies]
    return np.hstack([ones, centred]), (first, *names[varies]), dropped
