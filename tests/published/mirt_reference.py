"""Answers and the numbers that R mirt 1.47 gave for them; `data/README.md` tells where each is from and how exact."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetaline import irt
from thetaline.irt.grid import Grid, normal_log_weights

Numbers = dict[str, Any]

DATA = Path(__file__).parent / "data"
MODELS = {"3PLprior": "3PL", "graded": "GRM", "gpcm": "GPCM"}
LEAST_C = 1e-12  # mirt prints a lower asymptote of exactly 0 where it ran to its bound
MIRT_GRID = Grid(61, -6.0, 6.0)


@dataclass(frozen=True)
class Published:
    """Items and population as published; enough of a calibration for the fit statistics."""

    items: irt.Items
    population: irt.Population

    @property
    def anchored(self) -> NDArray[np.bool_]:
        return np.zeros(len(self.items), dtype=bool)


def datasets() -> list[str]:
    return sorted(path.stem for path in (DATA / "answers").glob("*.csv"))


def names() -> list[str]:
    """Every calibration of mirt: NAME__MODEL."""
    return sorted(path.stem for path in (DATA / "mirt").glob("*.json"))


def answers(dataset: str) -> irt.Responses:
    """The answer patterns of a data set with their counts."""
    ids, table = pattern_table(dataset)
    return irt.Responses.from_matrix(table[:, :-1], items=ids, counts=table[:, -1])


def pattern_table(dataset: str) -> tuple[list[str], NDArray[np.int64]]:
    """The items, and one row a pattern: its answers, then how many gave it."""
    with (DATA / "answers" / f"{dataset}.csv").open() as file:
        header, *rows = csv.reader(file)
    return header[:-1], np.array(rows, dtype=np.int64)


def numbers_of(name: str) -> Numbers:
    return json.loads((DATA / "mirt" / f"{name}.json").read_text())  # type: ignore[no-any-return]


def true_maxima() -> dict[str, Numbers]:
    """Calibrations of mirt on grids so wide and fine that they are those of the model."""
    return json.loads((DATA / "mirt_hires.json").read_text())  # type: ignore[no-any-return]


def family(name: str) -> str:
    """Our word for the model of a calibration of mirt."""
    dataset, model = name.split("__")
    return "PCM" if (dataset, model) == ("Science", "Rasch") else MODELS.get(model, model)


def load(name: str) -> tuple[Numbers, irt.Responses, Published]:
    """The numbers of one calibration, its answers, and items and population as mirt found them."""
    numbers = numbers_of(name)
    sd = np.sqrt(numbers["COV_11"])
    weights = np.exp(normal_log_weights(MIRT_GRID.nodes, 0.0, sd))
    population = irt.Population(("all",), np.zeros(1), np.array([sd]), MIRT_GRID.nodes[None], weights[None])
    return numbers, answers(name.split("__", maxsplit=1)[0]), Published(_items(name, numbers), population)


def _items(name: str, numbers: Numbers) -> irt.Items:
    table = {key: column(values) for key, values in numbers["slope_intercept"].items()}
    ids, model, a = numbers["items"], family(name), table["a1"]
    if "d" in table:
        c = np.maximum(table["g"], LEAST_C) if "g" in table else None
        return irt.Items(ids=ids, model=model, a=a, b=-table["d"] / a, c=c)
    intercepts = np.column_stack([table["d1"], table["d2"], table["d3"]])
    if model != "GRM":
        intercepts = np.diff(intercepts, axis=1, prepend=0.0)
    return irt.Items(ids=ids, model=model, a=a, b=-intercepts / a[:, None])


def scored_patterns(name: str) -> irt.Responses:
    """The patterns that mirt scored, in the order of `numbers["scores"]`."""
    numbers = numbers_of(name)
    patterns = [[int(answer) for answer in pattern] for pattern in numbers["scores"]["pattern"]]
    return irt.Responses.from_matrix(patterns, items=numbers["items"])


def column(values: list[Any]) -> NDArray[np.float64]:
    """Values as printed; a missing one is NaN."""
    return np.array([np.nan if value is None else float(value) for value in values])
