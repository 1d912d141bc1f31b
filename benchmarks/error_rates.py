"""How often tests of fit, DIF and drift reject what is true, and what is false, at the 5 % level.

python benchmarks/error_rates.py [replications] prints one line a test: the mean rate over items, the lowest and the
highest item, and the rate for the items that truly differ. Same seeds, same numbers.
"""

import sys
import time
from collections.abc import Callable

import numpy as np

from thetaline import irt

ALPHA = 0.05
N_ITEMS = 20
CHANGED = (0, 1)  # items that differ where something differs
Rates = tuple[np.ndarray, np.ndarray]  # rejected (R, I) and which items truly differ (I,)


def bank(rng: np.random.Generator, model: str = "2PL") -> irt.Items:
    b = np.clip(rng.normal(0, 1, N_ITEMS), -2.0, 2.0)  # nobody is always right, for ML has no answer to that
    b[list(CHANGED)] = np.clip(b[list(CHANGED)], -0.5, 0.5)
    steps = np.array([-1.0, 0.0, 1.0]) if model == "GRM" else np.zeros(1)
    a = None if model == "Rasch" else rng.lognormal(0, 0.3, N_ITEMS)
    return irt.Items(ids=range(N_ITEMS), model=model, a=a, b=b[:, None] + steps)


def harder(items: irt.Items, by: float) -> irt.Items:
    """The same bank with the changed items harder by that much."""
    b = items.b.copy()
    b[list(CHANGED)] += by
    return irt.Items(ids=items.ids, model=items.model, a=items.a, b=b, c=items.c, d=items.d)


def s_x2(model: str, n_persons: int) -> Callable[[np.random.Generator, float], np.ndarray]:
    """Misfit: of the people with θ < −0.8, a share of `size` has learnt the changed items by heart."""

    def replicate(rng: np.random.Generator, size: float) -> np.ndarray:
        items, theta = bank(rng, model), rng.normal(size=n_persons)
        drawn = irt.simulate(items, theta, rng)
        knows = np.isin(drawn.item, CHANGED) & (theta[drawn.person] < -0.8) & (rng.random(drawn.item.size) < size)
        answer = np.where(knows, 1, drawn.answer).astype(np.uint8)
        responses = irt.Responses(drawn.person_ids, drawn.item_ids, drawn.indptr, drawn.item, answer, drawn.counts)
        return irt.item_fit(irt.calibrate(responses, model=model), responses).s_x2_p

    return replicate


def dif(method: str, impact: float) -> Callable[[np.random.Generator, float], np.ndarray]:
    def replicate(rng: np.random.Generator, size: float) -> np.ndarray:
        items = bank(rng)
        reference = irt.simulate(items, rng.normal(0, 1, 500), rng)
        focal = irt.simulate(harder(items, size), rng.normal(-impact, 1, 500), rng)
        x = np.concatenate([side.answer.reshape(-1, N_ITEMS) for side in (reference, focal)])
        return irt.dif(irt.Responses.from_matrix(x), np.repeat(["a", "b"], 500), method=method).p

    return replicate


def drift(n_persons: int) -> Callable[[np.random.Generator, float], np.ndarray]:
    """The new population is N(0.6, 1.3²): the whole scale has moved, and the changed items besides."""

    def replicate(rng: np.random.Generator, size: float) -> np.ndarray:
        items = bank(rng)
        fits = [
            irt.calibrate(irt.simulate(version, rng.normal(mean, sd, n_persons), rng))
            for version, mean, sd in ((items, 0.0, 1.0), (harder(items, size), 0.6, 1.3))
        ]
        covariances = [fit.covariance() for fit in fits]
        return irt.drift(
            reference=fits[0].items,
            new=fits[1].items,
            reference_covariance=covariances[0],
            new_covariance=covariances[1],
        ).p

    return replicate


def m2(model: str) -> Callable[[np.random.Generator, float], np.ndarray]:
    def replicate(rng: np.random.Generator, size: float) -> np.ndarray:  # noqa: ARG001
        responses = irt.simulate(bank(rng, model), rng.normal(size=500), rng)
        return np.array([irt.model_fit(irt.calibrate(responses, model=model), responses).p])

    return replicate


STUDIES = {
    "S-X2 Rasch N = 500": (s_x2("Rasch", 500), 0.0),
    "S-X2 2PL N = 1000": (s_x2("2PL", 1000), 0.5),
    "S-X2 GRM, 4 categories, N = 1000": (s_x2("GRM", 1000), 0.0),
    "M2 2PL N = 500": (m2("2PL"), 0.0),
    "M2* GRM N = 500": (m2("GRM"), 0.0),
    "DIF Mantel-Haenszel 500 + 500": (dif("mantel-haenszel", 0.0), 0.5),
    "DIF Mantel-Haenszel, focal mean -0.5": (dif("mantel-haenszel", 0.5), 0.0),
    "DIF logistic 500 + 500": (dif("logistic", 0.0), 0.5),
    "DIF logistic, focal mean -0.5": (dif("logistic", 0.5), 0.0),
    "DIF Wald 500 + 500": (dif("wald", 0.0), 0.5),
    "DIF Wald, focal mean -0.5": (dif("wald", 0.5), 0.0),
    "drift 1000 + 1000": (drift(1000), 0.4),
}


def rejected(replicate: Callable[[np.random.Generator, float], np.ndarray], size: float, n: int) -> np.ndarray:
    """(n, I) whether p is below 5 %, over the items that have a p."""
    p = np.array([replicate(np.random.default_rng([n, r]), size) for r in range(n)])
    return np.where(np.isfinite(p), p < ALPHA, np.nan)


def main(replications: int, only: str) -> None:
    for name, (replicate, size) in STUDIES.items():
        if only not in name:
            continue
        began = time.perf_counter()
        rates = np.nanmean(rejected(replicate, 0.0, replications), axis=0)
        line = f"{name:40s} type I {np.mean(rates):.3f} (items {rates.min():.3f} to {rates.max():.3f})"
        if size:
            false = np.nanmean(rejected(replicate, size, max(replications // 5, 20)), axis=0)
            changed = np.isin(np.arange(N_ITEMS), CHANGED)
            line += f"   size {size}: power {false[changed].mean():.3f}, other items {false[~changed].mean():.3f}"
        print(f"{line}   {replications} replications, {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500, sys.argv[2] if len(sys.argv) > 2 else "")
