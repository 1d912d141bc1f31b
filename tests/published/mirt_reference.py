"""Files of R mirt 1.47 as a bank with its population, so that a statistic is compared at mirt's own parameters."""

import csv
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thetaline import irt
from thetaline.irt.grid import Grid, normal_log_weights

MODELS = {"3PLprior": "3PL", "graded": "GRM", "gpcm": "GPCM"}
LEAST_C = 1e-12  # mirt prints a lower asymptote of exactly 0 where it ran to its bound


@dataclass(frozen=True)
class Published:
    """Items and population as published; enough of a calibration for the fit statistics."""

    items: irt.Items
    population: irt.Population

    @property
    def anchored(self) -> np.ndarray:
        return np.zeros(len(self.items), dtype=bool)


def names(reference: Path) -> list[str]:
    return sorted(path.stem for path in (reference / "mirt").glob("*.json"))


def load(reference: Path, name: str) -> tuple[dict[str, Any], irt.Responses, Published]:
    """The numbers of one file, the answers, and the calibration that mirt found."""
    numbers = json.loads((reference / "mirt" / f"{name}.json").read_text())
    dataset, model = name.split("__")
    table = dict(numbers["slope_intercept"])
    sd = np.sqrt(table.pop("GroupPars")["par"]["COV_11"])
    answers = np.genfromtxt(reference / "data" / f"{dataset}.csv", delimiter=",", skip_header=1) - first(dataset)
    responses = irt.Responses.from_matrix(answers, items=list(table))
    grid = Grid(61, -6.0, 6.0)
    weights = np.exp(normal_log_weights(grid.nodes, 0.0, sd))
    population = irt.Population(("all",), np.zeros(1), np.array([sd]), grid.nodes[None], weights[None])
    return numbers, responses, Published(_items(model, {k: v["par"] for k, v in table.items()}), population)


def first(dataset: str) -> int:
    """What the lowest category is called."""
    return 1 if dataset == "Science" else 0


def _items(model: str, table: dict[str, dict[str, float]]) -> irt.Items:
    rows = list(table.values())
    a = [row["a1"] for row in rows]
    if "d1" not in rows[0]:
        c = [max(row["g"], LEAST_C) for row in rows] if model.startswith("3PL") else None
        return irt.Items(ids=list(table), model=MODELS.get(model, model), a=a, b=[-r["d"] / r["a1"] for r in rows], c=c)
    intercepts = np.array([[row["d1"], row["d2"], row["d3"]] for row in rows])
    if model != "graded":
        intercepts = np.diff(intercepts, axis=1, prepend=0.0)
    name = "PCM" if model == "Rasch" else MODELS[model]
    return irt.Items(ids=list(table), model=name, a=a, b=-intercepts / np.array(a)[:, None])


def person_column(reference: Path, name: str, column: str) -> dict[tuple[int, ...], float]:
    """One column of the scores file by answer pattern, categories from 0."""
    low = first(name.split("__", maxsplit=1)[0])
    with gzip.open(reference / "mirt" / f"{name}__scores.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    items = list(rows[0])[: list(rows[0]).index("freq")]
    return {tuple(int(row[item]) - low for item in items): float(row[column].replace("NA", "nan")) for row in rows}


def column(rows: list[dict[str, Any]], key: str) -> np.ndarray:
    """One key of a list of rows; a missing value is NaN."""
    return np.array([np.nan if row[key] is None else row[key] for row in rows], dtype=np.float64)
