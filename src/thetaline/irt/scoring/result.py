"""Scores of persons as a value."""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from thetaline.irt._coding import frame
from thetaline.irt._types import Array, Categories, Index
from thetaline.irt.items import check_scale

if TYPE_CHECKING:
    import pandas as pd


class ScoreStatus(IntEnum):
    """How a person's score came about."""

    OK = 0
    NO_ANSWERS = 1
    MINUS_INFINITY = 2
    PLUS_INFINITY = 3
    NOT_CONVERGED = 4


NOTES = {
    ScoreStatus.NO_ANSWERS: "no answers",
    ScoreStatus.MINUS_INFINITY: "the likelihood rises without end towards −inf",
    ScoreStatus.PLUS_INFINITY: "the likelihood rises without end towards +inf",
    ScoreStatus.NOT_CONVERGED: "the search for the maximum did not converge",
}


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """θ and its standard error of N persons, in the order of the responses; of EAP the posterior mean and sd."""

    ids: Any  # (N,)
    theta: Array  # (N,)
    se: Array  # (N,)
    method: str
    status: Categories  # (N,) ScoreStatus
    n_answers: Index  # (N,)
    counts: Array  # (N,) how many persons a row stands for
    prior: tuple[Array, Array] | None  # mean and sd (N,) each; None where the method has none

    def __post_init__(self) -> None:
        """Freeze the arrays."""
        for column in (self.theta, self.se, self.status, self.n_answers, *(self.prior or ())):
            column.setflags(write=False)

    def __len__(self) -> int:
        """N."""
        return len(self.ids)

    def __repr__(self) -> str:
        """Method, number of persons and how many need a look."""
        return f"Scores({self.method} of {len(self)} persons, {len(self.notes)} with notes)"

    @property
    def notes(self) -> dict[Any, str]:
        """Persons whose score is not an ordinary one: {id: why}."""
        return {self.ids[n]: NOTES[ScoreStatus(self.status[n])] for n in np.flatnonzero(self.status)}

    @property
    def reliability(self) -> float:
        """Empirical reliability Var(θ) / (Var(θ) + mean se²) of persons with finite scores; NaN for fewer than 2."""
        finite = np.isfinite(self.theta) & np.isfinite(self.se) & (self.status != ScoreStatus.NO_ANSWERS)
        n_persons = float(self.counts[finite].sum())
        if n_persons < 2:
            return float("nan")
        theta, share = self.theta[finite], self.counts[finite] / n_persons
        between = share @ (theta - share @ theta) ** 2 * n_persons / (n_persons - 1.0)
        return float(between / (between + share @ np.square(self.se[finite])))

    def rescaled(self, A: float, B: float) -> Self:
        """Scores on the scale θ' = A θ + B: A θ + B, A se; raises InputError for A ≤ 0 or what is not finite."""
        check_scale(A, B)
        prior = (A * self.prior[0] + B, A * self.prior[1]) if self.prior else None
        return replace(self, theta=A * self.theta + B, se=A * self.se, prior=prior)

    def to_frame(self) -> "pd.DataFrame":
        """One row a person: person_id, theta, se, n_answers; raises InputError where pandas is not installed."""
        return frame({"person_id": self.ids, "theta": self.theta, "se": self.se, "n_answers": self.n_answers})
