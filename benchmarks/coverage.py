"""How often 95 % intervals hold the truth: N = 1,000, I = 20, 2PL, by simulation; 93 to 97 % is the reach.

python -m benchmarks.coverage [replications] (default 500).  Same seed, same numbers.
"""

import sys

import numpy as np

from thetaline import irt

N_PERSONS, N_ITEMS = 1_000, 20


def main(replications: int = 500) -> None:
    rng = np.random.default_rng(2_025)
    a, b = rng.lognormal(0.0, 0.3, N_ITEMS), np.clip(rng.normal(size=N_ITEMS), -2.0, 2.0)
    inside = {(method, letter): [] for method in ("oakes", "sandwich") for letter in "ab"}
    for _ in range(replications):
        theta = rng.normal(size=N_PERSONS)
        x = rng.random((N_PERSONS, N_ITEMS)) < 1 / (1 + np.exp(-a * (theta[:, None] - b)))
        fit = irt.calibrate(irt.Responses.from_matrix(x))
        for method in ("oakes", "sandwich"):
            se = fit.standard_errors(method)
            inside[method, "a"].append(np.abs(fit.items.a - a) < 1.959964 * se.a)
            inside[method, "b"].append(np.abs(fit.items.b - b) < 1.959964 * se.b)
    for (method, letter), hits in inside.items():
        by_item = np.mean(hits, axis=0)
        spread = f"items {by_item.min():.3f} to {by_item.max():.3f}"
        print(f"{method:<9} {letter}: {np.mean(hits):.4f}, {spread}  reach 0.93 to 0.97")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
