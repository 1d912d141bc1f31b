"""What every DIF method returns."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thetaline.irt._coding import frame
from thetaline.irt._types import Array, Ids, Ints, short_repr
from thetaline.irt.priors import Priors

if TYPE_CHECKING:
    import pandas as pd


class DifClass(StrEnum):
    """Educational Testing Service's words for the size of an effect: negligible, moderate, large."""

    A = "A"
    B = "B"
    C = "C"


class DifOptions(NamedTuple):
    """What the caller of `dif` chose; `model` and `priors` are for the calibrations of the Wald test."""

    alpha: float
    purified: bool
    model: str | dict[object, str]
    priors: Priors | None


@short_repr
@dataclass(frozen=True, slots=True, eq=False)
class Dif:
    """Differential item functioning of I items between a reference and a focal group.

    `effect` is in the unit that `effect_name` says; MH D-DIF and P-DIF are positive where an item favours the focal
    group, R² has no sign (see `details["group"]`).
    """

    method: str
    reference: object
    focal: object
    ids: Ids  # (I,)
    statistic: Array  # (I,) χ² with `df` degrees of freedom
    df: Ints  # (I,)
    p: Array  # (I,)
    effect: Array  # (I,) see `effect_name`
    effect_name: str
    classes: NDArray[np.object_]  # (I,) DifClass, or "" where the test could not be made
    anchors: Ids  # ids of the items that matched or linked the groups in the end
    n_reference: int  # persons that the method used
    n_focal: int
    rounds: int  # of purification
    settled: bool  # purification came to rest
    details: dict[str, NDArray[Any]]  # further columns of the method, each (I,)
    notes: tuple[str, ...] = ()  # what the calibrations of the groups say of their items and persons

    def flagged(self, alpha: float = 0.05) -> Ids:
        """Ids with p below `alpha` and an effect that is not negligible."""
        return self.ids[(self.p < alpha) & np.isin(self.classes, (DifClass.B, DifClass.C))]

    def to_frame(self) -> "pd.DataFrame":
        """One row an item; needs pandas."""
        columns = {"item_id": self.ids, "statistic": self.statistic, "df": self.df, "p": self.p}
        effects = {self.effect_name: self.effect, "class": self.classes, "anchor": np.isin(self.ids, self.anchors)}
        return frame({**columns, **effects, **self.details})


def classified(size: Array, p: Array, limits: tuple[float, float], *, alpha: float) -> NDArray[np.object_]:
    """A below the first limit or without significance, B up to the second, C from there; "" where p is undefined."""
    classes = np.full(size.shape, DifClass.A, dtype=object)
    significant = p < alpha
    classes[significant & (size >= limits[0])] = DifClass.B
    classes[significant & (size >= limits[1])] = DifClass.C
    classes[~np.isfinite(p)] = ""
    return classes
