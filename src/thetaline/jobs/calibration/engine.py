"""What does the fit: a protocol whose request and reply are the values of the contract's POST /irt/calibrate."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import numpy as np

from thetaline.jobs.anchors.references import AnchorItem
from thetaline.jobs.arrays import Array, Index, Objects
from thetaline.jobs.calibration.observations import Observations

# (cycle, log_likelihood, largest_change)
OnCycle = Callable[[int, float, float], None]


@dataclass(frozen=True, slots=True)
class CalibrationRequest:
    """The answers, the model, and the anchors that fix the scale."""

    observations: Observations
    model: str
    anchors: tuple[AnchorItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """theta' = A theta + B to the anchors' scale; `dropped`: anchors that screening left out, and why."""

    A: float
    B: float
    n_anchors_used: int
    method: str
    dropped: Mapping[str, str]

    def constants(self) -> dict[str, object]:
        """The contract's `linking_constants`."""
        return {"A": self.A, "B": self.B, "n_anchors_used": self.n_anchors_used, "method": self.method}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ItemEstimates:
    """Parameters (I,) on the reply's scale with their standard errors; NaN where the model has none."""

    item_ids: Objects
    parameters: Mapping[str, Array]  # "a", "b", and "c", "d" as the model has them
    se: Mapping[str, Array]
    covariance_ab: Array | None = None  # (I,) of a with b; NaN where an item has none, None where an engine gives none

    def some(self, item_ids: Collection[str]) -> Self:
        """Those of some items, in the order that they have here."""
        at = np.isin(self.item_ids.astype(str), list(item_ids))
        return replace(
            self,
            item_ids=self.item_ids[at],
            parameters={name: values[at] for name, values in self.parameters.items()},
            se={name: values[at] for name, values in self.se.items()},
            covariance_ab=None if self.covariance_ab is None else self.covariance_ab[at],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AbilityEstimates:
    """EAP (N,) on the reply's scale with the posterior standard deviations."""

    user_ids: Objects
    theta: Array
    se: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class FitReport:
    """How the fit went; `status` is the engine's word for how it ended."""

    status: str
    converged: bool
    cycles: int
    log_likelihood: float
    aic: float
    bic: float
    engine: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibrationReply:
    """Estimates on one scale: that of the anchors where `linking` is given, else N(0, 1) of these learners."""

    fit: FitReport
    items: ItemEstimates
    abilities: AbilityEstimates
    linking: Linking | None
    not_linked: str = ""  # why, where anchors were given
    population: tuple[float, float] | None = None  # mean and sd of theta
    item_notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # finding -> items it is about
    free_anchors: ItemEstimates | None = None  # what these answers alone say of the anchors, on the linked scale


def positions(ids: Objects, among: Objects) -> Index:
    """(n,) where each id is among others, −1 where it is not."""
    place = {str(name): k for k, name in enumerate(among.tolist())}
    return np.array([place.get(str(name), -1) for name in ids.tolist()], dtype=np.intp)


class CalibrationEngine(Protocol):
    """Calibrates on request. Raises ThetalineError where it cannot."""

    @property
    def name(self) -> str:
        """For the log and the run."""
        ...

    def calibrate(self, request: CalibrationRequest, *, on_cycle: OnCycle | None = None) -> CalibrationReply:
        """Calibrate, link, score."""
        ...
