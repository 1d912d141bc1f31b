"""What the growth lines of learners are worth, by simulation: intervals, false alarms, goals, plateaus, time.

python -m benchmarks.learner_growth [coverage | classes | content | process | ranks | goals | plateaus | speed ..]
(default all).  Same seeds, same numbers.
"""

import resource
import sys
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import kstest
from tests.learning.growth_cohorts import Cohort, Law, along, answered, cohort, drawn_lines, walks

from benchmarks.yardstick import once
from thetaline import irt
from thetaline.irt.priors import LogNormal, Normal
from thetaline.learning.attempts import first_per_pair
from thetaline.learning.growth import GrowthFit, GrowthPriors, GrowthSpec, LearnerLines, fit_growth, goal_probability
from thetaline.learning.kpis import goal_probability as nightly_goal_probability

Floats = NDArray[np.float64]
Z95 = 1.959964
LAW = Law()


def fitted(school: Cohort, **options: object) -> GrowthFit:
    return fit_growth(school.answers, replace(GrowthSpec(now_week=school.theta.shape[1] - 1), **options))


def inside(school: Cohort, lines: LearnerLines) -> tuple[float, float]:
    """Share of learners whose 95 % interval holds the true level, and slope."""
    level = np.abs(lines.level - school.theta[:, -1]) < Z95 * lines.sd_level
    slope = np.abs(lines.slope - school.slope) < Z95 * lines.sd_slope
    return float(level.mean()), float(slope.mean())


def pooled_coverage(n_learners: int, n_answers: int, replications: int, **options: object) -> Floats:
    """(2,) over replications of 12 weeks."""
    schools = (cohort(n_learners, 12, n_answers, seed=seed) for seed in range(replications))
    return np.mean([inside(school, fitted(school, **options).lines()) for school in schools], axis=0)


def coverage(n_learners: int = 1_200, replications: int = 3) -> None:
    for n_answers in (5, 15, 50):
        level, slope = pooled_coverage(n_learners, n_answers, replications)
        print(f"{n_answers:3d} answers a week: level {level:.3f}, slope {slope:.3f}  reach 0.93 to 0.97", flush=True)


def classes(replications: int = 25) -> None:
    for n_answers in (5, 15):
        level, slope = pooled_coverage(30, n_answers, replications)
        print(f"30 learners, {n_answers:2d} answers a week: level {level:.3f}, slope {slope:.3f}", flush=True)


def content_school(n_learners: int, seed: int, *, slope_sd: float = 0.0, n_answers: int = 15) -> Cohort:
    """Half of the learners do not grow, the others by `slope_sd`; topics change after half of the 12 weeks."""
    rng = np.random.default_rng(seed)
    lines = drawn_lines(n_learners, replace(LAW, slope=0.0, slope_sd=slope_sd, correlation=0.0), rng)
    lines[: n_learners // 2, 1] = 0.0
    return answered(along(lines, 12), lines, n_answers, rng, n_topics=8, taught_in_order=True)


def false_alarms(school: Cohort, **options: object) -> float:
    """Share of the learners that do not grow whose interval of the slope leaves out 0."""
    lines, still = fitted(school, **options).lines(), school.slope == 0
    return float((np.abs(lines.slope) > Z95 * lines.sd_slope)[still].mean())


def content(n_learners: int = 600) -> None:
    for slope_sd in (0.0, 0.05, 0.1):
        school = content_school(n_learners, 3, slope_sd=slope_sd)
        with_spread, without = false_alarms(school), false_alarms(school, topic_spread=False, process_noise=False)
        told = f"with the topics' spread {with_spread:.3f}, lines alone {without:.3f}"
        print(f"slopes of the others {slope_sd:.2f} wide: {told}  reach 0.07", flush=True)


def process_school(n_learners: int, seed: int, *, walk_sd: float, weekly_sd: float, n_answers: int = 15) -> Cohort:
    """Lines with a random walk around them, and a mood that differs from week to week."""
    rng = np.random.default_rng(seed)
    lines = drawn_lines(n_learners, LAW, rng)
    theta = along(lines, 12) + walks(n_learners, 12, walk_sd, rng)
    mood = rng.normal(0, weekly_sd, theta.shape)
    school = answered(theta + mood, lines, n_answers, rng)
    return replace(school, theta=theta)


def process(n_learners: int = 600) -> None:
    for walk_sd, weekly_sd in ((0.0, 0.0), (0.05, 0.0), (0.1, 0.0), (0.2, 0.0), (0.0, 0.2)):
        school = process_school(n_learners, 5, walk_sd=walk_sd, weekly_sd=weekly_sd)
        noisy, stiff = fitted(school), fitted(school, process_noise=False)
        told = [f"level {level:.3f}, slope {slope:.3f}" for level, slope in map(_of(school), (noisy, stiff))]
        print(f"walk {walk_sd:.2f}, mood {weekly_sd:.1f}: {told[0]}; without process noise {told[1]}", flush=True)


def _of(school: Cohort):
    return lambda fit: inside(school, fit.lines())


SBC_PRIORS = GrowthPriors(
    level=Normal(0.0, 0.5),
    slope=Normal(0.0, 0.05),
    level_sd=LogNormal(0.0, 0.3),
    slope_sd=LogNormal(-3.0, 0.5),
    topic_sd=LogNormal(-0.9, 0.4),
    walk_sd=LogNormal(-3.0, 0.5),
)


def drawn_law(rng: np.random.Generator) -> Law:
    p = SBC_PRIORS
    spread = {
        name: rng.lognormal(prior.mean_log, prior.sd_log)
        for name in ("level_sd", "slope_sd", "topic_sd", "walk_sd")
        for prior in [getattr(p, name)]
    }
    rho = np.tanh(rng.normal(p.correlation.mean, p.correlation.sd))
    return Law(rng.normal(p.level.mean, p.level.sd), rng.normal(p.slope.mean, p.slope.sd), correlation=rho, **spread)


def places(replications: int, n_learners: int = 30) -> Floats:
    """(R, 4) where the truth lies in its posterior, of a learner's level and slope and of the cohort's.

    Simulation-based calibration (Talts et al. 2018): uniform if the posteriors are right.
    """
    rng, rows = np.random.default_rng(7), []
    for seed in range(replications):
        law = drawn_law(rng)
        school = cohort(n_learners, 8, 5, law=law, seed=seed)
        fit = fitted(school, priors=SBC_PRIORS, bend=False)
        lines = fit.lines()
        own = [
            (school.level[0] - lines.level[0]) / lines.sd_level[0],
            (school.slope[0] - lines.slope[0]) / lines.sd_slope[0],
        ]
        rows.append([*own, *((np.array([law.level, law.slope]) - fit.fixed.estimate) / fit.fixed.se)])
    return np.asarray(ndtr(rows))


def ranks(replications: int = 150) -> None:
    found = places(replications)
    for name, column in zip(("level", "slope", "cohort's level", "cohort's slope"), found.T, strict=True):
        counts = np.histogram(column, 10, (0, 1))[0]
        print(f"{name:<15} tenths {counts}, uniform p = {kstest(column, 'uniform').pvalue:.2f}", flush=True)


def goal_outcomes(n_learners: int, n_targets: int, ahead: int = 6, seed: int = 9) -> dict[str, Floats]:
    """P of each goal by the lines and by today's nightly formula, and whether θ was there at the date, or ever."""
    rng = np.random.default_rng(seed)
    lines = drawn_lines(n_learners, LAW, rng)
    theta = along(lines, 12) + walks(n_learners, 12, LAW.walk_sd, rng)
    school = answered(theta, lines, 10, rng)
    future = lines[:, :1] + lines[:, 1:] * np.arange(ahead + 1.0)
    future[:, 1:] += np.cumsum(rng.normal(0, LAW.walk_sd, (n_learners, ahead)), axis=1)
    rows = np.repeat(np.arange(n_learners), n_targets)
    target = rng.normal(0.3, 1.0, rows.size)
    found = goal_probability(fitted(school), target, 11 + ahead, rows)
    now, se = nightly(school)
    return {
        "at": found.at_date,
        "ever": found.ever_before,
        "today": nightly_goal_probability(now[rows], se[rows], target),
        "was": (future[rows, -1] >= target).astype(float),
        "was ever": (future[rows].max(axis=1) >= target).astype(float),
    }


def nightly(school: Cohort) -> tuple[Floats, Floats]:
    """θ and se of the last four weeks by EAP, as the nightly run takes them."""
    late = school.answers.where(school.answers.week >= 8)
    late = late.where(first_per_pair(late.learner, late.item))
    responses = irt.Responses.from_long(late.learner, late.bank.ids[late.item], late.category)
    scores = irt.score(responses, late.bank, method="EAP")
    order = np.argsort(np.asarray(scores.ids, int))
    return np.asarray(scores.theta)[order], np.asarray(scores.se)[order]


def largest_gap(probability: Floats, outcome: Floats, n_bins: int = 10) -> float:
    """Between the mean probability and the share that came true, over tenths of the goals."""
    bins = np.array_split(np.argsort(probability), n_bins)
    return float(max(abs(probability[rows].mean() - outcome[rows].mean()) for rows in bins))


def goals(n_learners: int = 2_000) -> None:
    out = goal_outcomes(n_learners, 10)
    for name, outcome in (("at", "was"), ("ever", "was ever"), ("today", "was")):
        gap, brier = largest_gap(out[name], out[outcome]), np.mean(np.square(out[name] - out[outcome]))
        print(f"{name:<6} largest gap {gap:.3f} (reach 0.03), Brier {brier:.4f}", flush=True)


def plateau_school(n_learners: int, share: float, seed: int, *, knot: float = -4.0, n_answers: int = 15) -> Cohort:
    """Growth of 0.1 a week that ends at `knot` for a share of the learners, whose slope is 0 from then on."""
    rng = np.random.default_rng(seed)
    lines = drawn_lines(n_learners, replace(LAW, slope=0.1), rng)
    ended = np.arange(n_learners) < share * n_learners
    weeks = np.arange(12) - 11.0
    theta = lines[:, :1] + lines[:, 1:] * np.where(ended[:, None], np.minimum(weeks, knot), weeks)
    lines[ended, 1] = 0.0
    return answered(theta + walks(n_learners, 12, 0.03, rng), lines, n_answers, rng, topic_sd=0.3)


def plateaus(n_learners: int = 500) -> None:
    for share in (0.0, 0.5, 1.0):
        school = plateau_school(n_learners, share, 3)
        bent, line = fitted(school).lines(), fitted(school, bend=False).lines()
        error = [np.sqrt(np.mean(np.square(x.slope - school.slope))) for x in (bent, line)]
        told = f"told {bent.bent.mean():.2f}, slope {inside(school, bent)[1]:.3f}, error {error[0]:.3f}"
        print(f"{share:.1f} plateaus: {told}; lines alone {inside(school, line)[1]:.3f}, {error[1]:.3f}", flush=True)


def speed(n_learners: int = 20_000) -> None:
    school = cohort(n_learners, 12, 15, n_topics=8, n_items=2_000, seed=5)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    taken, fit = once(lambda: fitted(school))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3
    print(f"{n_learners:,} learners, {school.answers.n_answers:,} answers: {taken}, {grown:.0f} MB above the answers")
    print(f"distance {fit.diagnostics.distance:.2f}, searched {fit.diagnostics.n_learners_searched:,}", flush=True)


TABLES = {f.__name__: f for f in (coverage, classes, content, process, ranks, goals, plateaus, speed)}


def main(*names: str) -> None:
    for name in names or TABLES:
        print(f"\n{name}", flush=True)
        TABLES[name]()


if __name__ == "__main__":
    main(*sys.argv[1:])
