"""Time of fit, DIF and drift against one calibration of the same data in the same run.

python benchmarks/fit_statistics.py: 20,000 persons × 100 items complete, and 20,000 × 1,000 items × 40 answers.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from thetaline import irt
from thetaline.irt.fit_statistics.residuals import complete_persons
from thetaline.irt.fit_statistics.s_x2 import Cells, expected_proportions, merged, observed_counts
from thetaline.irt.lord_wingersky import category_tables


def s_x2_alone(fit: irt.Fit, responses: irt.Responses) -> list[float]:
    """S-X² of every item and nothing else, as the yardstick asks for it."""
    complete = complete_persons(fit.items, responses)
    nodes, weights = fit.population.nodes[0], fit.population.weights[0]
    expected = expected_proportions(category_tables(fit.items, nodes), weights)
    observed = observed_counts(complete.answers, complete.counts, fit.items.n_categories)
    tables = (Cells(o, e * o.sum(axis=1, keepdims=True)) for o, e in zip(observed, expected, strict=True))
    return [merged(cells, least=1.0).statistic for cells in tables]


def timed(work: Callable[[], Any], repeat: int = 3) -> tuple[Any, float]:
    """The result and the best wall time of some runs."""
    best, result = np.inf, None
    for _ in range(repeat):
        began = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - began)
    return result, best


def report(title: str, responses: irt.Responses, *, complete: bool) -> None:
    fit, yardstick = timed(lambda: irt.calibrate(responses))
    print(f"{title}: calibrate {yardstick:.2f} s")
    half = np.arange(responses.n_persons) % 2
    works: dict[str, Callable[[], Any]] = {
        "item_fit": lambda: irt.item_fit(fit, responses),
        "person_fit": lambda: irt.person_fit(fit, responses),
        "local_dependence": lambda: irt.local_dependence(fit, responses),
        "dif wald": lambda: irt.dif(responses, half, method="wald"),
    }
    if complete:
        works = {"S-X2 alone": lambda: s_x2_alone(fit, responses), **works}
        works["model_fit"] = lambda: irt.model_fit(fit, responses)
        works["dif mantel-haenszel"] = lambda: irt.dif(responses, half)
        works["dif logistic"] = lambda: irt.dif(responses, half, method="logistic")
    for name, work in works.items():
        _, seconds = timed(work, repeat=2)
        print(f"    {name:22s} {seconds:6.2f} s   {seconds / yardstick:5.2f} calibrations")


def main() -> None:
    rng = np.random.default_rng(0)

    def bank(n: int) -> irt.Items:
        return irt.Items(ids=range(n), model="2PL", a=rng.lognormal(0, 0.3, n), b=rng.normal(0, 1, n))

    theta = rng.normal(size=20_000)
    report("complete 20,000 × 100", irt.simulate(bank(100), theta, rng), complete=True)
    sparse = irt.simulate(bank(1_000), theta, rng, n_answers=40)
    report("sparse 20,000 × 1,000 × 40", sparse, complete=False)


if __name__ == "__main__":
    main()
