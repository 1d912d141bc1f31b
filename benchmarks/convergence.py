"""How far from their limit fits end that are called converged: all families, groups, priors, anchors, dense to thin.

python -m benchmarks.convergence [first] [stop] [rows.csv] [earlier.csv] draws problems `first` to
`stop` (1 to 1,001), fits each with the default tolerance and, where that converged, with 1e-9, and prints by kind of
problem how far they lie apart.  Rows that the file has already are kept, so the problems can be run in
pieces; the cycles of another version's rows are printed beside.  Same numbers, same problems.  A fit is `open`, and no
distance is told, where the one with 1e-9 itself ended farther from the limit than a tenth of the tolerance.
"""

import csv
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from thetaline import irt
from thetaline.errors import ModelWarning, ResponsesError

MODELS = ("Rasch", "1PL", "2PL", "3PL", "4PL", "GRM", "PCM", "GPCM")
TOL, LIMIT_TOL, LIMIT_CYCLES = 1e-4, 1e-9, 3000
LARGE = 50  # one problem in so many has answers enough for E-steps in single precision
FIELDS = ("number", "model", "design", "groups", "priors", "anchors", "grid", "status", "cycles", "distance", "doubt")
Row = dict[str, Any]


def bank(rng: np.random.Generator, model: str, n_items: int) -> irt.Items:
    b = rng.normal(size=n_items)
    if model in {"GRM", "PCM", "GPCM"}:
        b = 0.5 * b[:, None] + np.sort(rng.normal(size=(n_items, rng.integers(2, 5))), axis=1)
    a = {"Rasch": np.ones(n_items), "PCM": np.ones(n_items), "1PL": np.full(n_items, 1.2)}
    c = rng.uniform(0.1, 0.25, n_items) if model in {"3PL", "4PL"} else None
    d = rng.uniform(0.85, 0.97, n_items) if model == "4PL" else None
    return irt.Items(ids=range(n_items), model=model, a=a.get(model, rng.lognormal(0, 0.3, n_items)), b=b, c=c, d=d)


def size(rng: np.random.Generator, design: str) -> tuple[int, int, int]:
    """Persons, items, answers a person."""
    if design == "large":
        return 20_000, 60, 60
    low, high = {"dense": (300, 3000), "sparse": (400, 3000), "thin": (150, 600)}[design]
    n_items = {"dense": (5, 30), "sparse": (30, 120), "thin": (20, 80)}[design]
    n_answers = {"dense": (30, 31), "sparse": (8, 25), "thin": (3, 9)}[design]
    persons, items, answers = (int(rng.integers(*ends)) for ends in ((low, high), n_items, n_answers))
    return persons, items, min(items, answers)


def priors(model: str) -> irt.Priors:
    return irt.Priors(
        a=None if model in {"Rasch", "PCM"} else irt.LogNormal(0, 0.5),
        b=irt.Normal(0, 2),
        c=irt.Beta(5, 17) if model in {"3PL", "4PL"} else None,
        d=irt.Beta(17, 5) if model == "4PL" else None,
    )


def answered(rng: np.random.Generator, n_items: int, n_answers: int, form: np.ndarray) -> np.ndarray:
    """Who answers what, (N, I): about so many items of a person's form, which share the items out between them."""
    n_forms = int(form.max()) + 1
    here = np.arange(n_items) % n_forms == form[:, None]
    return here & (rng.random(here.shape) < n_forms * n_answers / n_items)


def problem(rng: np.random.Generator, number: int) -> tuple[Row, irt.Responses, dict[str, Any]]:
    """Description, answers, and the arguments of `calibrate`."""
    model = MODELS[number % len(MODELS)]
    design = "large" if number % LARGE == 0 else str(rng.choice(["dense", "sparse", "thin"]))
    n_groups = int(rng.choice([1, 1, 2, 4]))
    with_priors, with_anchors, with_grid = (bool(rng.random() < share) for share in (0.5, 0.25, 0.15))
    tied_by_priors = n_groups > 1 and with_priors and not with_anchors and rng.random() < 0.35
    n_persons, n_items, n_answers = size(rng, design)
    items, group = bank(rng, model, n_items), np.arange(n_persons) % n_groups
    mask = answered(rng, n_items, n_answers, group if tied_by_priors else np.zeros(n_persons, dtype=int))
    options: dict[str, Any] = {"model": model, "groups": group if n_groups > 1 else None}
    options["priors"] = priors(model) if with_priors else None
    options["anchors"] = items.take(range(0, n_items, 4)) if with_anchors else None
    options["grid"] = irt.Grid(61, -6.0, 6.0) if with_grid else None
    groups = "tied by priors" if tied_by_priors else n_groups
    row = dict(zip(FIELDS, (number, model, design, groups, with_priors, with_anchors, with_grid), strict=False))
    return row, irt.simulate(items, rng.normal(0.4 * group, 1.0 + 0.15 * group), rng, mask=mask), options


def parameters(fit: irt.Fit) -> np.ndarray:
    """What `tol` is about: slopes, intercepts, asymptotes as probabilities, means, logs of standard deviations."""
    items = fit.items.take(fit.items.ids[~fit.anchored].tolist())
    intercepts = items.a[:, None] * items.b.reshape(len(items), -1)
    if items.model[0] in {"PCM", "GPCM"}:
        intercepts = np.cumsum(intercepts, axis=1)
    population = [fit.population.mean, np.log(fit.population.sd)]
    return np.concatenate([items.a, intercepts.ravel(), items.c, items.d, *population])


def solved(number: int) -> Row:
    """The first draw that calibration accepts: without priors it refuses items that nobody got right or wrong."""
    for draw in range(1_000):
        row, responses, options = problem(np.random.default_rng([number, draw]), number)
        try:
            fit = irt.calibrate(responses, tol=TOL, **options)
        except ResponsesError:
            continue
        row |= {"status": fit.status, "cycles": fit.cycles, "distance": np.nan, "doubt": np.nan}
        if fit.converged:
            limit = irt.calibrate(responses, tol=LIMIT_TOL, max_cycles=LIMIT_CYCLES, **options)
            row["distance"] = float(np.nanmax(np.abs(parameters(fit) - parameters(limit))))
            row["doubt"] = np.nanmin([cycle.largest_change for cycle in limit.path])
        return row
    raise ValueError(f"no draw of problem {number} can be calibrated")


KINDS: dict[str, Callable[[Row], bool]] = {
    **{model: lambda row, model=model: row["model"] == model for model in MODELS},
    **{name: lambda row, name=name: row["design"] == name for name in ("dense", "sparse", "thin", "large")},
    "one group": lambda row: row["groups"] == "1",
    "groups with common items": lambda row: row["groups"] in {"2", "4"},
    "groups tied by priors": lambda row: row["groups"] == "tied by priors",
    "priors": lambda row: row["priors"] == "True",
    "no priors": lambda row: row["priors"] == "False",
    "3PL and 4PL without priors": lambda row: row["priors"] == "False" and row["model"] in {"3PL", "4PL"},
    "anchors": lambda row: row["anchors"] == "True",
    "given nodes": lambda row: row["grid"] == "True",
    "all": bool,
}


def line(name: str, rows: list[Row], earlier: dict[str, Row]) -> str:
    """One kind of problem: how many converged, how near, in how many cycles; cycles where both versions converged."""
    called = [row for row in rows if row["status"] == "converged"]
    sure = [row for row in called if float(row["doubt"]) < TOL / 10]
    distance = np.array([float(row["distance"]) for row in sure]) / TOL
    near = [100 * np.mean(distance <= 1), 100 * np.mean(distance <= 3), distance.max()] if sure else [np.nan] * 3
    pairs = [(earlier[row["number"]], row) for row in called if row["number"] in earlier]
    both = [pair for pair in pairs if pair[0]["status"] == "converged"]
    cycles = [mean_cycles([pair[0] for pair in both]), mean_cycles([pair[1] for pair in both] if earlier else called)]
    counts = f"{len(rows):>6}{len(called):>10}{len(called) - len(sure):>6}"
    return f"{name:<28}{counts}{near[0]:>9.1f}{near[1]:>9.1f}{near[2]:>8.2f}{cycles[0]:>9.1f}{cycles[1]:>8.1f}"


def mean_cycles(rows: list[Row]) -> float:
    return float(np.mean([int(row["cycles"]) for row in rows])) if rows else np.nan


def read(path: Path | None) -> dict[str, Row]:
    """Rows by number."""
    if path is None or not path.exists():
        return {}
    with path.open() as file:
        return {row["number"]: row for row in csv.DictReader(file)}


def complete(numbers: range, path: Path) -> None:
    """Solve the problems that the file has no row of."""
    done = read(path)
    with path.open("a") as file:
        writer = csv.DictWriter(file, FIELDS)
        if not done:
            writer.writeheader()
        for number in numbers:
            if str(number) not in done:
                writer.writerow(solved(number))
                file.flush()


def main(first: str = "1", stop: str = "1001", rows: str | None = None, earlier: str | None = None) -> None:
    warnings.simplefilter("ignore", ModelWarning)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(rows or Path(folder) / "rows.csv")
        complete(range(int(first), int(stop)), path)
        now, before = read(path), read(Path(earlier) if earlier else None)
    print(f"{'problems':<28}     n converged  open  % ≤ tol  % ≤ 3tol   worst   cycles before and now")
    for name, belongs in KINDS.items():
        of_kind = [row for row in now.values() if belongs(row)]
        if of_kind:
            print(line(name, of_kind, before))


if __name__ == "__main__":
    main(*sys.argv[1:])
