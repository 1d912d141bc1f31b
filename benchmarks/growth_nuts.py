"""Growth lines against the posterior that NUTS samples from the same model: 200 learners, 8 weeks, 5 answers a week.

python -m benchmarks.growth_nuts [folder]: needs the extra `nuts`; writes growth_nuts.json there, which the tests read.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tests.learning.growth_cohorts import Cohort, cohort

from thetaline.learning.growth import DEFAULT_PRIORS, GrowthFit, GrowthSpec, fit_growth

DESIGN = {"n_learners": 200, "n_weeks": 8, "n_answers": 5, "n_topics": 4, "seed": 11}
N_WARMUP, N_DRAWS, N_CHAINS = 500, 1_000, 2


def sample(school: Cohort) -> dict[str, Any]:
    """Draws of the parameters and of the learners' lines, with numpyro's NUTS (Hoffman & Gelman 2014)."""
    import jax  # noqa: PLC0415  (of the extra, loaded only here)
    import numpyro  # noqa: PLC0415
    import numpyro.distributions as dist  # noqa: PLC0415
    from numpyro.infer import MCMC, NUTS  # noqa: PLC0415

    jax.config.update("jax_enable_x64", True)
    answers, priors = school.answers, DEFAULT_PRIORS
    now, n_learners = int(answers.week.max()), answers.n_learners
    weeks, n_topics = np.arange(now + 1.0) - now, int(answers.topic.max()) + 1
    slope_of_item, difficulty = answers.bank.a[answers.item], answers.bank.b[answers.item]

    def model() -> None:
        beta = numpyro.sample("intercept", dist.Normal(priors.level.mean, priors.level.sd))
        gamma = numpyro.sample("slope", dist.Normal(priors.slope.mean, priors.slope.sd))
        spread = {
            name: numpyro.sample(name, dist.LogNormal(prior.mean_log, prior.sd_log))
            for name in ("level_sd", "slope_sd", "topic_sd", "walk_sd")
            for prior in [getattr(priors, name)]
        }
        rho = jax.numpy.tanh(numpyro.sample("z_correlation", dist.Normal(0.0, priors.correlation.sd)))
        numpyro.deterministic("correlation", rho)
        z = numpyro.sample("z", dist.Normal(0.0, 1.0).expand([n_learners, 2]).to_event(2))
        level = numpyro.deterministic("level", beta + spread["level_sd"] * z[:, 0])
        own = rho * z[:, 0] + jax.numpy.sqrt(1 - rho**2) * z[:, 1]
        line = numpyro.deterministic("line_slope", gamma + spread["slope_sd"] * own)
        steps = numpyro.sample("steps", dist.Normal(0.0, 1.0).expand([n_learners, now]).to_event(2))
        back = jax.numpy.cumsum(steps, axis=1)[:, ::-1] * spread["walk_sd"]
        walk = jax.numpy.concatenate([back, jax.numpy.zeros((n_learners, 1))], axis=1)
        topic = numpyro.sample("topics", dist.Normal(0.0, 1.0).expand([n_learners, n_topics]).to_event(2))
        theta = level[:, None] + line[:, None] * weeks + walk
        at = theta[answers.learner, answers.week] + spread["topic_sd"] * topic[answers.learner, answers.topic]
        numpyro.sample("right", dist.Bernoulli(logits=slope_of_item * (at - difficulty)), obs=answers.category)

    chains = MCMC(NUTS(model), num_warmup=N_WARMUP, num_samples=N_DRAWS, num_chains=N_CHAINS, progress_bar=False)
    chains.run(jax.random.PRNGKey(1))
    return {name: np.asarray(draws) for name, draws in chains.get_samples().items()}


SPREADS = ("level_sd", "slope_sd", "correlation", "topic_sd", "walk_sd")


def summary(draws: dict[str, Any]) -> dict[str, Any]:
    """Posterior means and standard deviations, those of spreads on the scale where they are free."""
    free = {name: np.arctanh(draws[name]) if name == "correlation" else np.log(draws[name]) for name in SPREADS}
    of_parameters = {"intercept": draws["intercept"], "slope": draws["slope"], **free}
    lines = np.stack([draws["level"], draws["line_slope"]], axis=2)
    sd = lines.std(axis=0)
    centred = (lines - lines.mean(axis=0)) / sd
    return {
        "design": DESIGN,
        "parameters": {name: [float(x.mean()), float(x.std())] for name, x in of_parameters.items()},
        "level": lines[:, :, 0].mean(axis=0).round(4).tolist(),
        "sd_level": sd[:, 0].round(4).tolist(),
        "line_slope": lines[:, :, 1].mean(axis=0).round(5).tolist(),
        "sd_slope": sd[:, 1].round(5).tolist(),
        "correlation": (centred[:, :, 0] * centred[:, :, 1]).mean(axis=0).round(3).tolist(),
    }


def compare(fit: GrowthFit, nuts: dict[str, Any]) -> dict[str, float]:
    """Largest and typical differences, in posterior standard deviations and as ratios of them."""
    lines = fit.lines()
    level = np.abs(lines.level - nuts["level"]) / nuts["sd_level"]
    slope = np.abs(lines.slope - nuts["line_slope"]) / nuts["sd_slope"]
    names = [*fit.fixed.names, *SPREADS]
    free = [np.arctanh(x) if n == "correlation" else np.log(x) for n, x in fit.spreads._asdict().items()]
    ours = dict(zip(names, [*fit.fixed.estimate, *free], strict=True))
    apart = {f"parameter {n}": abs(ours[n] - m) / sd for n, (m, sd) in nuts["parameters"].items()}
    return {
        "level, mean difference / sd": float(level.mean()),
        "level, largest difference / sd": float(level.max()),
        "slope, mean difference / sd": float(slope.mean()),
        "slope, largest difference / sd": float(slope.max()),
        "sd of the level, mean ratio": float(np.mean(lines.sd_level / nuts["sd_level"])),
        "sd of the slope, mean ratio": float(np.mean(lines.sd_slope / nuts["sd_slope"])),
        "correlation, mean difference": float(np.mean(lines.correlation - nuts["correlation"])),
        **apart,
    }


def school_and_fit() -> tuple[Cohort, GrowthFit]:
    """The cohort of `DESIGN` and its fit."""
    sizes = {name: DESIGN[name] for name in ("n_learners", "n_weeks", "n_answers")}
    school = cohort(**sizes, n_topics=DESIGN["n_topics"], seed=DESIGN["seed"])
    return school, fit_growth(school.answers, GrowthSpec(now_week=DESIGN["n_weeks"] - 1, bend=False))


def main(folder: str | None = None) -> None:
    school, fit = school_and_fit()
    nuts = summary(sample(school))
    for what, value in compare(fit, nuts).items():
        print(f"{what:<34} {value:8.4f}")
    if folder:
        (Path(folder) / "growth_nuts.json").write_text(json.dumps(nuts) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
