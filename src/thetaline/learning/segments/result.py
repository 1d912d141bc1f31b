"""What a search for segments returns."""

from dataclasses import dataclass

from thetaline.learning._types import Array, Ints
from thetaline.learning.segments.labels import UNSTABLE
from thetaline.learning.segments.number import ClusterNumber

NOT_ASSIGNED = -1


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One group: its median in raw units, its mean in standard deviations of all learners, how stable it is."""

    label: str
    size: int
    centre: Array  # (F',)
    profile: Array  # (F',)
    jaccard: float
    continues: int | None  # position in the last run; None is a new one

    @property
    def is_named(self) -> bool:
        """Whether it is stable enough to be spoken of."""
        return self.label != UNSTABLE


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """`assigned` (N,) is a position in `segments`, or `NOT_ASSIGNED`; one segment alone is "no structure"."""

    assigned: Ints
    segments: tuple[Segment, ...]
    names: tuple[str, ...]
    dropped: tuple[str, ...]
    numbers: tuple[ClusterNumber, ...]
    vanished: tuple[str, ...]  # labels of the last run that nothing continues
    reason: str = ""  # why nothing is fitted

    @property
    def is_fitted(self) -> bool:
        """Whether there are segments; else `reason` says why not."""
        return not self.reason

    @property
    def new(self) -> tuple[str, ...]:
        """Labels of segments that continue none of the last run."""
        return tuple(one.label for one in self.segments if one.continues is None)
