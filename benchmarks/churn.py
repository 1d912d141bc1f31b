"""The hazard of silence against known truth: who is in force, how well calibrated, what shuffled covariates say.

python -m benchmarks.churn [replications], of 1,500 learners and 118 days: where the share of right answers drives who
leaves, the hazard model takes over from S (reach 90 %), its AUC at 14 days, Brier score and calibration slope (0.8 to
1.25); where the model behind S is the truth, S stays (reach 90 %); shuffled covariates reach an AUC of 0.45 to 0.55.
"""

import sys
from dataclasses import replace
from datetime import timedelta

import numpy as np

from benchmarks.yardstick import once
from thetaline.learning.attempts import Attempts
from thetaline.learning.churn import ChurnFit, Cohort, InForce, fit_churn, landmark_rows
from thetaline.learning.term_calendar import NO_TERMS, Period, PeriodKind, TermCalendar
from thetaline.learning.windows import Window, date_of_number

N_LEARNERS = 1_500
START, N_DAYS = 20_000, 118  # 90 days of landmarks and the 28 before
WINDOW = Window(START, START + N_DAYS)
COMES_BACK = 0.01  # a day, of those who left
ANSWERS = 6  # of an active day


def present(rng: np.random.Generator, leave: np.ndarray, *, comes_back: float) -> np.ndarray:
    """(N, D) whether a learner who leaves with (N,) daily probability is still, or again, there."""
    here = np.ones(leave.size, bool)
    days = np.zeros((leave.size, N_DAYS), bool)
    for day in range(N_DAYS):
        draw = rng.random(leave.size)
        here = np.where(here, draw >= leave, draw < comes_back)
        days[:, day] = here
    return days


def answers(active: np.ndarray, right: np.ndarray, rng: np.random.Generator) -> Attempts:
    """Some answers of each active day, with (N,) probability right."""
    learner, day = (column.repeat(ANSWERS) for column in np.nonzero(active))
    n = learner.size
    return Attempts(
        learner=learner.astype(np.int32),
        item=rng.integers(0, 500, n).astype(np.int32),
        correct=(rng.random(n) < right[learner]).astype(np.int8),
        day=(START + day).astype(np.int32),
        time_ms=np.full(n, -1, np.int32),
        hint=np.full(n, -1, np.int8),
        session=(day + N_DAYS * learner).astype(np.int32),
        n_learners=active.shape[0],
    )


def driven_by_accuracy(rng: np.random.Generator, n: int = N_LEARNERS) -> Attempts:
    """The less is right, the sooner a learner leaves; some come back."""
    right = rng.uniform(0.3, 0.95, n)
    leave = 0.012 * np.exp(-5.0 * (right - 0.65))
    shows_up = rng.beta(4, 6, n)
    active = present(rng, leave, comes_back=COMES_BACK) & (rng.random((n, N_DAYS)) < shows_up[:, None])
    return answers(active & joined(rng, n), right, rng)


def as_s_has_it(rng: np.random.Generator, n: int = N_LEARNERS) -> Attempts:
    """Beta-geometric leaving and beta-Bernoulli activity, as `inactivity` assumes; answers tell nothing."""
    shows_up, leave = rng.beta(2, 4, n), rng.beta(0.8, 40, n)
    active = present(rng, leave, comes_back=0.0) & (rng.random((n, N_DAYS)) < shows_up[:, None])
    return answers(active & joined(rng, n), np.full(n, 0.7), rng)


def joined(rng: np.random.Generator, n: int) -> np.ndarray:
    """(N, D) the days since each learner first came: half are there from the start."""
    first = np.where(rng.random(n) < 0.5, 0, rng.integers(0, N_DAYS, n))
    return np.arange(N_DAYS) >= first[:, None]


def fitted(attempts: Attempts, rng: np.random.Generator, terms: TermCalendar = NO_TERMS) -> ChurnFit:
    return fit_churn(landmark_rows(attempts, WINDOW, terms), rng)


def shuffled(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """Each landmark's covariates dealt out anew among its learners."""
    x = cohort.rows.x.copy()
    for landmark in np.unique(cohort.rows.landmark):
        rows = np.flatnonzero(cohort.rows.landmark == landmark)
        x[rows] = x[rng.permutation(rows)]
    return replace(cohort, rows=replace(cohort.rows, x=x))


def vacation(first: int, days: int) -> TermCalendar:
    """A vacation from a day of the window on."""
    start = date_of_number(START + first)
    return TermCalendar((Period(start, start + timedelta(days - 1), PeriodKind.VACATION, "vacation"),))


def main(replications: int = 20) -> None:
    rng = np.random.default_rng(12)
    taken, fits = once(lambda: [fitted(driven_by_accuracy(rng), rng) for _ in range(replications)])
    took_over = np.mean([fit.in_force is InForce.LANDMARK_HAZARD for fit in fits])
    print(f"driven by accuracy: hazard in force in {took_over:.0%} of {replications}  reach 90 %  {taken}", flush=True)
    for name in ("landmark_hazard", "inactivity", "recency"):
        auc, brier, slope = np.mean(
            [(one.auc, one.brier, one.slope) for one in (fit.accuracy[name] for fit in fits)], axis=0
        )
        print(f"  {name:<16} AUC {auc:.3f}  Brier {brier:.4f}  calibration slope {slope:.2f}", flush=True)
    stays = np.mean([fitted(as_s_has_it(rng), rng).in_force is InForce.INACTIVITY for _ in range(replications)])
    print(f"S is the truth: S stays in {stays:.0%} of {replications}  reach 90 %", flush=True)
    few = max(1, replications // 4)
    chance = [
        fit_churn(shuffled(landmark_rows(driven_by_accuracy(rng), WINDOW), rng), rng).accuracy["landmark_hazard"].auc
        for _ in range(few)
    ]
    print(f"covariates shuffled: AUC {np.mean(chance):.3f}, {min(chance):.3f} to {max(chance):.3f}  reach 0.45 to 0.55")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
