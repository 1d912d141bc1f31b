"""The distribution of theta: one normal a group, or its histogram on the nodes."""

from dataclasses import dataclass

from thetaline.errors import InputError
from thetaline.irt._types import Array


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Mean and sd of theta per group; `groups` are the labels, in the order of `mean` and `sd`.

    `nodes` and `weights` (G, Q) are the quadrature that the fit ended with; with an empirical histogram the weights are
    estimates, else they are the normal density.
    """

    groups: tuple[object, ...]
    mean: Array  # (G,)
    sd: Array  # (G,)
    nodes: Array  # (G, Q)
    weights: Array  # (G, Q)

    def __repr__(self) -> str:
        """Each group's mean and sd."""
        rows = zip(self.groups, self.mean, self.sd, strict=True)
        return "Population(" + ", ".join(f"{label}: {mean:.4g} ± {sd:.4g}" for label, mean, sd in rows) + ")"

    def only(self) -> tuple[float, float]:
        """Return mean and sd of the one group; raises InputError where there are several."""
        if len(self.groups) > 1:
            raise InputError(
                f"the population has {len(self.groups)} groups {list(self.groups)[:5]}; "
                "take one by population.of(group), or give a mean and an sd a person"
            )
        return float(self.mean[0]), float(self.sd[0])

    def of(self, group: object) -> tuple[float, float]:
        """Return mean and sd of one group; raises KeyError for a label that is not there."""
        if group not in self.groups:
            raise KeyError(group)
        at = self.groups.index(group)
        return float(self.mean[at]), float(self.sd[at])
