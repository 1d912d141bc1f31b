"""Calibrate the exposure parameters of Sympson & Hetter (1985) by simulated tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thetaline.errors import InputError
from thetaline.irt._arguments import check_kinds, generator, person_abilities
from thetaline.irt._types import Array, Labelled, short_repr
from thetaline.irt.adaptive.content import ContentLimits
from thetaline.irt.adaptive.exposure import SympsonHetter
from thetaline.irt.adaptive.simulate import checked_stop_rule, simulate_adaptive
from thetaline.irt.adaptive.stopping import StopRule
from thetaline.irt.items import Items


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class ExposureCalibration:
    """The rule to hand to `next_item`, and how the largest exposure rate fell from cycle to cycle."""

    rule: SympsonHetter
    exposure: Array  # (I,) rates in the last simulation
    path: tuple[float, ...]  # largest rate of each cycle
    converged: bool


def calibrate_exposure(  # noqa: PLR0913  (keyword-only options)
    items: Items,
    theta: Labelled,
    rng: np.random.Generator | int,
    *,
    largest: float = 0.25,
    stop: StopRule | None = None,
    method: str = "maximum-information",
    content: ContentLimits | None = None,
    max_cycles: int = 30,
    tolerance: float | None = None,
) -> ExposureCalibration:
    """Find k so that no item is asked in more than a share `largest` of the tests of persons like `theta` (N,).

    Each cycle simulates the tests under the current k and sets k = min(1, largest / P(selected)), selected = asked or
    held back.  As in the original, as many items as a test has keep k = 1, so that every test can be filled.  Converged
    when the largest rate is at most `largest` + `tolerance`, default three standard errors of a rate that is estimated
    from as many tests.  Raises InputError where `largest` cannot be reached, and for limits that
    the bank cannot serve.
    """
    check_kinds(items=(items, Items))
    (_, abilities), rng = person_abilities(theta), generator(rng)
    rule = checked_stop_rule(items, stop, content)
    if not rule.max_items / len(items) < largest <= 1.0:
        raise InputError(
            f"tests of {rule.max_items} of {len(items)} items have a mean exposure of "
            f"{rule.max_items / len(items):.2f}; the largest rate must lie above it and at most be 1, not {largest}"
        )
    slack = 3.0 * np.sqrt(largest * (1.0 - largest) / abilities.size) if tolerance is None else tolerance
    k, path = np.ones(len(items)), []
    exposure = np.zeros(len(items))
    for _ in range(max_cycles):
        control = SympsonHetter(dict(zip(items.ids.tolist(), k.tolist(), strict=True)))
        tests = simulate_adaptive(items, abilities, rng, stop=rule, method=method, exposure=control, content=content)
        exposure = tests.exposure
        path.append(float(exposure.max()))
        if path[-1] <= largest + slack:
            return ExposureCalibration(control, exposure, tuple(path), converged=True)
        k = _updated(k, exposure, largest, rule.max_items)
    return ExposureCalibration(control, exposure, tuple(path), converged=False)


def _updated(k: Array, exposure: Array, largest: float, length: int) -> Array:
    selected = np.divide(exposure, k, out=np.zeros_like(k), where=k > 0)  # asked = k × selected
    new = np.minimum(1.0, largest / np.maximum(selected, largest))
    open_enough = np.argsort(-new, kind="stable")[:length]
    new[open_enough] = 1.0
    return new
