"""Parameters moved by a hair, for derivatives of curves that have no short formula."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from thetaline.irt._types import Array
from thetaline.irt.derivatives import Parameters


@dataclass(frozen=True, slots=True, eq=False)
class Nudged:
    """Item parameters outside `irt.Items`, whose checks (c ≥ 0, ordered thresholds) a nudge may break."""

    model: Any
    a: Array
    thresholds: Array
    c: Array
    d: Array
    n_categories: Any
    offsets: Any

    @classmethod
    def of(cls, items: Parameters, name: str, step: int, by: float) -> Self:
        """Every item's parameter `name` (for b: its threshold `step`) moved by `by`."""
        values = {"a": items.a, "b": items.thresholds.copy(), "c": items.c, "d": items.d}
        if name == "b":
            values["b"][:, step] += by
        else:
            values[name] = values[name] + by
        a, b, c, d = values.values()
        return cls(items.model, a, b, c, d, items.n_categories, items.offsets)


def central_difference(f: Callable[[float], Array], step: float = 1e-5) -> Array:
    """∂f/∂e at e = 0 for quantities of size about 1: error about 1e-10."""
    return np.asarray((f(step) - f(-step)) / (2.0 * step))
