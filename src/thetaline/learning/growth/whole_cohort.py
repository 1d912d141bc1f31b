"""From a maximum over some learners to that over all, in passes that hold a few blocks at a time.

One Newton step from a root-n consistent start is as good as the maximum itself (Le Cam 1956; Lehmann & Casella
1998, 6.4.3), so that a pass or two over all learners end what the search over some thousands began.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from thetaline.learning._types import Array
from thetaline.learning.growth.bend import knots
from thetaline.learning.growth.cells import Cells
from thetaline.learning.growth.lines import BlockLines, Lines, gathered, lines_of
from thetaline.learning.growth.marginal import Cohort, fit_block, map_blocks
from thetaline.learning.growth.maximum import LogPosterior, Maximum, updated
from thetaline.learning.growth.spec import GrowthSpec

SEARCH_LEARNERS = 4_000
MOST_PASSES = 4
STEP_ENDS = 0.45  # standard errors of the whole cohort: a shift that no line notices


def thinned(cohort: Cohort) -> Cohort:
    """The answers of evenly spaced learners, at most `SEARCH_LEARNERS` of those with answers."""
    who = np.unique(cohort.answers.learner)
    if who.size <= SEARCH_LEARNERS:
        return cohort
    chosen = np.zeros(cohort.answers.n_learners, bool)
    chosen[who[:: -(-who.size // SEARCH_LEARNERS)]] = True
    return replace(cohort, answers=cohort.answers.where(chosen[cohort.answers.learner]))


def refined(cohort: Cohort, spec: GrowthSpec, found: Maximum, target: LogPosterior) -> tuple[Maximum, Lines]:
    """The maximum over all learners and their lines there."""
    n_learners, ends = cohort.n_learners, knots(cohort.from_now) if spec.bend else ()
    if n_learners == target.n_learners:
        return found, target.lines(found.phi, ends)
    found = replace(found, covariance=found.covariance * target.n_learners / n_learners)
    step, last = np.zeros((2, found.phi.size))
    for left in reversed(range(MOST_PASSES)):
        first = left == MOST_PASSES - 1  # hardly ever the last, so that it looks for no plateaus
        lines = _pass(cohort, spec, found.phi, () if first else ends)
        gradient = lines.gradient + target.log_prior(found.phi)[1]
        covariance = updated(found.covariance, step, last - gradient)
        step, last = covariance @ gradient, gradient
        found = replace(found, covariance=covariance, distance=float(np.sqrt(gradient @ step)))
        if (found.distance < STEP_ENDS and not first) or not left:
            break
        found = replace(found, phi=found.phi + step)
    return found, lines


def _pass(cohort: Cohort, spec: GrowthSpec, phi: Array, ends: Sequence[float]) -> Lines:
    def one(cells: Cells) -> BlockLines:
        return lines_of(cohort, phi, fit_block(cohort, cells, phi), ends)

    parts = map_blocks(one, cohort.blocks(), spec.threads, cohort.answers.n_answers)
    return gathered(cohort, phi, parts, ends)
