"""θ of a later week, and the probability of a goal, from fitted growth lines."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtr, ndtri

from thetaline.errors import InputError
from thetaline.learning._types import Array, Index
from thetaline.learning.growth.result import GrowthFit, LearnerLines

FURTHEST = 2  # times the observed span of a learner
NO_ANSWERS = "no answers"
ONE_WEEK = "answers in one week only"
TOO_FAR = "beyond twice the observed span"
NO_TARGET = "the target is no number"
TINY = 1e-12  # sd of what is known
N_SLOPES, N_LEVELS = 24, 32  # nodes of the probability of ever reaching a goal


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Mean and standard deviation of θ, (n,); NaN where `reason` (n,) is not empty."""

    mean: Array
    sd: Array
    reason: NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class GoalProbability:
    """P(θ ≥ target in the target's week) and P(θ ≥ target in any week from now to then), (n,).

    Both are NaN where `reason` (n,) is not empty.
    """

    at_date: Array
    ever_before: Array
    reason: NDArray[np.object_]


def predict(fit: GrowthFit, rows: ArrayLike, week: ArrayLike) -> Prediction:
    """θ of the learners `rows` (n,) in calendar week `week`, one or (n,), with measurement and process error.

    Before now it is the line itself. Raises InputError for a fit without lines and for a week that is no number.
    """
    lines, who, ahead = _asked(fit, rows, week)
    mean, variance = _moments(fit, lines, who, ahead)
    reason = _withheld(fit, lines, who, ahead)
    given = reason == ""
    return Prediction(np.where(given, mean, np.nan), np.where(given, np.sqrt(variance), np.nan), reason)


def goal_probability(
    fit: GrowthFit, target: ArrayLike, target_week: ArrayLike, rows: ArrayLike | None = None
) -> GoalProbability:
    """Probabilities that learners `rows` (default all) reach `target` by `target_week`, one or (n,) each.

    A week before now is a goal whose date is over: withheld. Raises InputError for a fit without lines and for a week
    that is no number.
    """
    everybody = np.arange(fit.lines().level.size)
    lines, who, ahead = _asked(fit, everybody if rows is None else rows, target_week)
    goal = np.broadcast_to(np.asarray(target, float), who.shape)
    mean, variance = _moments(fit, lines, who, ahead)
    reason = _withheld(fit, lines, who, ahead)
    reason[ahead < 0] = "the target date is over"
    reason[~np.isfinite(goal)] = NO_TARGET
    goal = np.where(np.isfinite(goal), goal, 0.0)
    at_date = ndtr((mean - goal) / np.maximum(np.sqrt(variance), TINY))
    ever = _ever(fit, lines, who, np.maximum(ahead, 0.0), goal)
    given = reason == ""
    return GoalProbability(np.where(given, at_date, np.nan), np.where(given, np.maximum(ever, at_date), np.nan), reason)


def _asked(fit: GrowthFit, rows: ArrayLike, week: ArrayLike) -> tuple[LearnerLines, Index, Array]:
    lines = fit.lines()
    who = np.asarray(rows, np.intp)
    if not np.isfinite(np.asarray(week, float)).all():
        raise InputError("a week to predict is no number")
    ahead = np.broadcast_to(np.asarray(week, float) - fit.spec.now_week, who.shape)
    return lines, who, ahead


def _moments(fit: GrowthFit, lines: LearnerLines, who: Index, ahead: Array) -> tuple[Array, Array]:
    sd_level, sd_slope = lines.sd_level[who], lines.sd_slope[who]
    variance = sd_level**2 + ahead**2 * sd_slope**2 + 2 * ahead * lines.correlation[who] * sd_level * sd_slope
    return lines.level[who] + ahead * lines.slope[who], variance + fit.spreads.walk_sd**2 * np.abs(ahead)


def _withheld(fit: GrowthFit, lines: LearnerLines, who: Index, ahead: Array) -> NDArray[np.object_]:
    """Why no prediction is given, in words; empty where one is. A line is extrapolated from its last answer."""
    last = lines.last_week[who].astype(float)
    span, silent = last - lines.first_week[who], fit.spec.now_week - last
    reason = np.full(who.shape, "", dtype=object)
    reason[(ahead > 0) & (silent + ahead > FURTHEST * span)] = TOO_FAR
    reason[(lines.n_weeks[who] == 1) & (ahead > 0)] = ONE_WEEK
    reason[lines.n_answers[who] == 0] = NO_ANSWERS
    return reason


def _ever(fit: GrowthFit, lines: LearnerLines, who: Index, ahead: Array, goal: Array) -> Array:
    """P(max of θ from now on ≥ goal): over slopes and levels below the goal, that of a Brownian motion with drift.

    Given slope s and distance d > 0 to the goal after h weeks with variance ω² a week it is
    Φ((s h − d) / ω√h) + exp(2 s d / ω²) Φ(−(s h + d) / ω√h) (Bachelier–Lévy; Karatzas & Shreve 1991, 3.5.C).
    """
    sd_level, sd_slope, rho = lines.sd_level[who], lines.sd_slope[who], lines.correlation[who]
    total = np.zeros(who.shape)
    for step in ndtri((np.arange(N_SLOPES) + 0.5) / N_SLOPES):
        slope = lines.slope[who] + sd_slope * step
        level, sd = lines.level[who] + rho * sd_level * step, np.maximum(sd_level * np.sqrt(1 - rho**2), TINY)
        below = ndtr((goal - level) / sd)
        total += 1 - below
        for part in (np.arange(N_LEVELS) + 0.5) / N_LEVELS:
            distance = np.maximum(goal - level - sd * ndtri(np.maximum(below * part, 1e-300)), 0.0)
            total += below / N_LEVELS * _crossing(distance, slope, ahead, fit.spreads.walk_sd)
    return total / N_SLOPES


def _crossing(distance: Array, slope: Array, ahead: Array, walk_sd: float) -> Array:
    drift = slope * ahead
    sd = walk_sd * np.sqrt(ahead)
    moving = sd > 0
    sd = np.where(moving, sd, 1.0)
    log_second = 2 * drift * distance / sd**2 + log_ndtr(-(drift + distance) / sd)
    return np.where(moving, ndtr((drift - distance) / sd) + np.exp(np.minimum(log_second, 0.0)), drift >= distance)
