"""What the gate compares: the values of a run, the limits, the verdict of one check."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from thetaline.jobs.arrays import Array, Objects
from thetaline.jobs.calibration.engine import ItemEstimates
from thetaline.jobs.calibration.published_comparison import PublishedAbilities
from thetaline.jobs.calibration.soundness import Soundness
from thetaline.settings import Settings

NOTHING_TO_COMPARE = "nothing to compare"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One row of the gate's table: the check, the value found, the limit, and a sentence on both."""

    name: str
    passed: bool
    value: float | None
    limit: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """The limits of the gate; each is a setting MIRT_GATE_…."""

    min_items: int
    min_users: int
    a_min: float
    a_max: float
    b_max: float
    min_anchors: int
    max_rmsd: float
    min_correlation_a: float
    min_correlation_b: float
    max_copied: float
    max_moved: float
    max_theta_shift: float
    min_correlation_theta: float
    max_odd_days: float
    max_references_gap: float
    max_changed_learners: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits in force."""
        return cls(
            min_items=settings.mirt_gate_min_items,
            min_users=settings.mirt_gate_min_users,
            a_min=settings.mirt_gate_a_min,
            a_max=settings.mirt_gate_a_max,
            b_max=settings.mirt_gate_b_max,
            min_anchors=settings.mirt_gate_min_anchors,
            max_rmsd=settings.mirt_gate_max_rmsd,
            min_correlation_a=settings.mirt_gate_min_correlation_a,
            min_correlation_b=settings.mirt_gate_min_correlation_b,
            max_copied=settings.mirt_gate_max_copied,
            max_moved=settings.mirt_gate_max_moved,
            max_theta_shift=settings.mirt_gate_max_theta_shift,
            min_correlation_theta=settings.mirt_gate_min_correlation_theta,
            max_odd_days=settings.mirt_gate_max_odd_days,
            max_references_gap=settings.mirt_gate_max_references_gap,
            max_changed_learners=settings.mirt_gate_max_changed_learners,
        )


@dataclass(frozen=True, slots=True, eq=False)
class PublishedParameters:
    """The current parameters, (I,) each, and the newest of the runs that they come from."""

    run_id: str
    item_ids: Objects
    a: Array
    b: Array
    estimates: ItemEstimates | None = None  # what the answers alone said, of items under the model of this run
    abilities: PublishedAbilities | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GateInput:
    """What the gate checks: parameters (I,) on the scale on which they would be published."""

    status: str
    converged: bool
    n_users: int
    item_ids: Objects
    a: Array
    b: Array
    n_anchors_tagged: int
    n_anchors_used: int
    linked: bool
    rmsd: float | None
    link_message: str = ""
    published: PublishedParameters | None = None
    soundness: Soundness | None = None


Check = Callable[[GateInput, GateLimits], CheckResult]
