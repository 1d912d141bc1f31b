"""Who is compared with whom."""

from typing import Any, NamedTuple

from numpy.typing import ArrayLike

from thetaline.errors import ResponsesError
from thetaline.irt._coding import code_ids
from thetaline.irt._types import Mask
from thetaline.irt.responses import Responses


class TwoGroups(NamedTuple):
    """A reference and a focal group."""

    reference: object
    focal: object
    is_focal: Mask  # (N,)

    def size(self, responses: Responses, used: Mask, *, focal: bool) -> int:
        """Persons of one group among those used (N,), patterns counted as often as they occur."""
        return round(float(responses.counts[(self.is_focal == focal) & used].sum()))


def two_groups(responses: Responses, groups: ArrayLike, reference: object) -> TwoGroups:
    """Tell the two labels apart; without a `reference` it is the first label in sorted order, as in `calibrate`.

    Raises ResponsesError for another number of labels than persons, missing ones, and other than two distinct ones.
    """
    labels, code = code_ids(groups, "groups")
    if len(code) != responses.n_persons:
        raise ResponsesError(f"groups has {len(code)} labels; it needs one for each of {responses.n_persons} persons")
    distinct: list[Any] = labels.tolist()
    if len(distinct) != 2:
        raise ResponsesError(f"DIF compares two groups, but there are {len(distinct)}: {distinct[:5]}")
    first = distinct[0] if reference is None else reference
    if first not in distinct:
        raise ResponsesError(f"reference = {reference!r} is no group label; the labels are {distinct}")
    focal = distinct[1] if first == distinct[0] else distinct[0]
    return TwoGroups(first, focal, code == distinct.index(focal))
