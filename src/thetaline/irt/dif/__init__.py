"""Differential item functioning: do people of equal ability but different groups do equally well on an item?"""

from __future__ import annotations

from collections.abc import Callable

from thetaline.errors import InputError
from thetaline.irt._arguments import check_kinds
from thetaline.irt._types import Labelled
from thetaline.irt.dif.matching import TwoGroups, two_groups
from thetaline.irt.dif.observed_score import logistic_regression_dif, mantel_haenszel_dif
from thetaline.irt.dif.result import Dif as Dif, DifClass as DifClass, DifOptions
from thetaline.irt.dif.wald import wald_dif
from thetaline.irt.p_values import check_level
from thetaline.irt.priors import Priors
from thetaline.irt.responses import Responses

METHODS: dict[str, Callable[[Responses, TwoGroups, DifOptions], Dif]] = {
    "mantel-haenszel": mantel_haenszel_dif,
    "logistic": logistic_regression_dif,
    "wald": wald_dif,
}


def dif(
    responses: Responses,
    groups: Labelled,
    *,
    method: str = "mantel-haenszel",
    reference: object = None,
    purify: bool = True,
    alpha: float = 0.05,
    model: str | dict[object, str] = "2PL",
    priors: Priors | None = None,
) -> Dif:
    """Compare a focal with a reference group, item by item; `groups` are labels of two kinds, one a person: a Series or
    a mapping goes by person id, an array (N,) by `responses.person_ids`, which `from_long` sorts.

    "mantel-haenszel" (Holland & Thayer 1988) and "logistic" (Swaminathan & Rogers 1990) match people on the number
    right of the anchors and the studied item; they take two categories and the persons who answered all items. "wald"
    (Lord 1980, with the error of the link) calibrates `model` with `priors` in each group; it takes every family and
    missing answers. With `purify`, items with p < `alpha` leave the anchors and all are tested again until none does.

    Raises InputError for an unknown method and an alpha that is no level, ResponsesError for other than two groups and
    for answers that a method cannot take.
    """
    check_kinds(responses=(responses, Responses))
    if method not in METHODS:
        raise InputError(f"unknown DIF method {method!r}; choose one of {', '.join(METHODS)}")
    check_level(alpha)
    settings = DifOptions(alpha=alpha, purified=purify, model=model, priors=priors)
    return METHODS[method](responses, two_groups(responses, groups, reference), settings)
