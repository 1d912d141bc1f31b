"""How near the integral over a learner's effects comes to the truth: expectation propagation and Laplace's method.

python -m benchmarks.growth_approximations [learners] (default 60).  The truth is a dense grid over level and slope with
one over each topic's deviation inside it; the parameters are those that made the answers.
"""

import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp
from tests.learning.growth_cohorts import Law, cohort

from thetaline.learning.growth import GrowthAnswers, GrowthSpec
from thetaline.learning.growth.data_checks import Prepared, prepared
from thetaline.learning.growth.lines import lines_of
from thetaline.learning.growth.marginal import Cohort, fit_block

Floats = NDArray[np.float64]
LAW = Law(walk_sd=0.0)
DESIGNS = ((3, 5), (6, 5), (12, 5), (12, 15))  # weeks, answers a week
N_TOPICS = 3
PHI = np.array([LAW.level, LAW.slope, *np.log([LAW.level_sd, LAW.slope_sd]), np.arctanh(LAW.correlation), 0.0])
PHI[-1] = np.log(LAW.topic_sd)
SPREADS = {"level sd": 2, "slope sd": 3, "topic sd": 5}


class Posterior(NamedTuple):
    """Moments of level and slope, (N, 2) each, and the log marginal likelihood (N,)."""

    mean: Floats
    sd: Floats
    log_likelihood: Floats


def propagated(school: Cohort, phi: Floats) -> Posterior:
    fits = [fit_block(school, cells, phi) for cells in school.blocks()]
    parts = [lines_of(school, phi, fit) for fit in fits]
    order = np.argsort(np.concatenate([part.who for part in parts]))
    mean = np.concatenate([part.mean for part in parts])[order]
    covariance = np.concatenate([part.covariance for part in parts])[order]
    value = np.concatenate([fit.at.log_likelihood for fit in fits])[order]
    return Posterior(mean, np.sqrt(np.einsum("nll->nl", covariance)), value)


def each_learner(school: Cohort) -> list[GrowthAnswers]:
    return [school.answers.where(school.answers.learner == n) for n in range(school.answers.n_learners)]


def dense(school: Cohort, phi: Floats, *, n_line: int = 41, n_topic: int = 31) -> Posterior:
    """On n_line² nodes of level and slope, n_topic of each topic."""
    line, tau = school.prior(phi).line, school.prior(phi).topic_sd
    z, e = np.linspace(-5, 5, n_line), np.linspace(-5, 5, n_topic)
    grid = np.stack(np.meshgrid(z, z, indexing="ij"), axis=-1).reshape(-1, 2)
    u = phi[:2] + grid @ line.T
    log_prior = -np.square(grid).sum(axis=1) / 2 + 2 * np.log((z[1] - z[0]) / np.sqrt(2 * np.pi))
    log_inner = -np.square(e) / 2 + np.log((e[1] - e[0]) / np.sqrt(2 * np.pi))
    rows = []
    for mine in each_learner(school):
        value = log_prior.copy()
        for topic in np.unique(mine.topic):
            part = mine.where(mine.topic == topic)
            a, b = part.bank.a[part.item], part.bank.b[part.item]
            at = u[:, :1] + u[:, 1:] * (part.week - school.answers.week.max())
            signed = np.where(part.category == 1, a, -a)
            inner = np.repeat(log_inner[None], len(u), axis=0)
            for j in range(part.n_answers):
                inner -= np.logaddexp(0.0, -signed[j] * (at[:, j, None] + tau * e - b[j]))
            value += logsumexp(inner, axis=1)
        total = logsumexp(value)
        weight = np.exp(value - total)
        mean = weight @ u
        rows.append((mean, np.sqrt(weight @ np.square(u - mean)), total))
    return Posterior(*(np.array(column) for column in zip(*rows, strict=True)))


def laplace(school: Cohort, phi: Floats) -> Posterior:
    """Mode of all effects together and the curvature there (Tierney & Kadane 1986), learner by learner."""
    line, tau = school.prior(phi).line, school.prior(phi).topic_sd
    rows = []
    for mine in each_learner(school):
        ahead = (mine.week - school.answers.week.max())[:, None]
        own = np.eye(N_TOPICS)[mine.topic] * tau
        design = np.hstack([line[0, 0] + ahead * line[1, 0], ahead * line[1, 1], own])
        offset = phi[0] + phi[1] * ahead[:, 0] - mine.bank.b[mine.item]
        a, x = mine.bank.a[mine.item], np.zeros(design.shape[1])
        for _ in range(30):
            p = expit(a * (offset + design @ x))
            information = np.eye(x.size) + design.T @ (design * (a**2 * p * (1 - p))[:, None])
            x = x + np.linalg.solve(information, design.T @ (a * (mine.category - p)) - x)
        z = a * (offset + design @ x)
        value = -np.logaddexp(0.0, np.where(mine.category == 1, -z, z)).sum() - x @ x / 2
        covariance = line @ np.linalg.inv(information)[:2, :2] @ line.T
        rows.append(
            (phi[:2] + line @ x[:2], np.sqrt(np.diag(covariance)), value - np.linalg.slogdet(information)[1] / 2)
        )
    return Posterior(*(np.array(column) for column in zip(*rows, strict=True)))


def thin_school(n_learners: int, n_weeks: int, n_answers: int) -> Cohort:
    made = cohort(n_learners, n_weeks, n_answers, law=LAW, n_topics=N_TOPICS, seed=n_weeks)
    data = prepared(made.answers, GrowthSpec(now_week=n_weeks - 1, process_noise=False))
    assert isinstance(data, Prepared)  # noqa: S101
    return data.cohort


def errors(school: Cohort) -> dict[str, list[float]]:
    """Of each method: mean |difference| / sd, mean ratio of sds, of level and slope; log L and its slopes a learner."""
    truth, step = dense(school, PHI), 0.1
    moved = {name: np.eye(PHI.size)[at] * step for name, at in SPREADS.items()}
    true_slopes = [dense(school, PHI + way).log_likelihood - truth.log_likelihood for way in moved.values()]
    out = {}
    for method in (propagated, laplace):
        found = method(school, PHI)
        off = np.abs(found.mean - truth.mean) / truth.sd
        slopes = [method(school, PHI + way).log_likelihood - found.log_likelihood for way in moved.values()]
        bias = [float(np.mean(ours - theirs)) / step for ours, theirs in zip(slopes, true_slopes, strict=True)]
        lower = float(np.mean(found.log_likelihood - truth.log_likelihood))
        out[method.__name__] = [*off.mean(axis=0), *(found.sd / truth.sd).mean(axis=0), lower, *bias]
    return out


def main(n_learners: int = 60) -> None:
    print("weeks answers method       level    slope    sd level sd slope log L    d level  d slope  d topic")
    for n_weeks, n_answers in DESIGNS:
        for method, values in errors(thin_school(n_learners, n_weeks, n_answers)).items():
            print(
                f"{n_weeks:5d} {n_answers:7d} {method:<11} " + " ".join(f"{value:8.4f}" for value in values), flush=True
            )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
