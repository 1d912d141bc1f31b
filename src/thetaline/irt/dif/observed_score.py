"""Mantel–Haenszel and logistic regression: the two methods that match people on a score, which is purified."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import ResponsesError
from thetaline.irt._types import Array, Mask
from thetaline.irt.dif.logistic import R2_LIMITS, LogisticDif, ScoreCells, logistic_dif
from thetaline.irt.dif.mantel_haenszel import MantelHaenszel, Strata, ets_classes, mantel_haenszel
from thetaline.irt.dif.matching import Table, TwoGroups, by_sum_score
from thetaline.irt.dif.result import Dif, DifOptions, classified
from thetaline.irt.p_values import p_value
from thetaline.irt.purification import Purified, purify
from thetaline.irt.responses import Responses

LEAST_ANCHORS = 3
LEAST_PERSONS = 20  # complete persons a group, below which a sum score divides people too finely to compare them


def mantel_haenszel_dif(responses: Responses, groups: TwoGroups, settings: DifOptions) -> Dif:
    """MH D-DIF with the classes of ETS."""
    table = _tables(responses, groups)
    found = _purified(lambda anchors: _mh(table(anchors)).p, responses.n_items, settings)
    result = _mh(table(found.anchors))
    return _dif(
        responses,
        groups,
        found,
        method="mantel-haenszel",
        statistic=result.statistic,
        df=1,
        effect=result.delta,
        effect_name="delta",
        classes=ets_classes(result, alpha=settings.alpha),
        details={"log_odds_ratio": result.log_odds, "se_log_odds_ratio": result.se_log_odds},
    )


def logistic_regression_dif(responses: Responses, groups: TwoGroups, settings: DifOptions) -> Dif:
    """Likelihood ratio of group and product together, R² gained, and the parts for uniform and non-uniform DIF."""
    table = _tables(responses, groups)
    found = _purified(lambda anchors: p_value(_logistic(table(anchors)).both, 2), responses.n_items, settings)
    result = _logistic(table(found.anchors))
    return _dif(
        responses,
        groups,
        found,
        method="logistic",
        statistic=result.both,
        df=2,
        effect=result.r2_both,
        effect_name="r2",
        classes=classified(result.r2_both, p_value(result.both, 2), R2_LIMITS, alpha=settings.alpha),
        details={
            "group": result.group,
            "p_uniform": p_value(result.uniform, 1),
            "p_non_uniform": p_value(result.non_uniform, 1),
            "r2_uniform": result.r2_uniform,
        },
    )


def _mh(table: Table) -> MantelHaenszel:
    people = table.people
    return mantel_haenszel(Strata(people[..., 0, 1], people[..., 0, 0], people[..., 1, 1], people[..., 1, 0]))


def _logistic(table: Table) -> LogisticDif:
    n_items, n_levels = table.people.shape[:2]
    wide = table.people.reshape(n_items, 2 * n_levels, 2)
    ability = np.repeat(table.level, 2)[None]
    focal = np.tile([0.0, 1.0], n_levels)[None]
    return logistic_dif(ScoreCells(ability, focal, wide.sum(axis=-1), wide[..., 1]))


def _tables(responses: Responses, groups: TwoGroups) -> Callable[[Mask], Table]:
    """How to count, given the anchors; raises ResponsesError where sum scores do not compare."""
    if responses.answer.max(initial=0) > 1:
        graded = np.unique(responses.item[responses.answer > 1])
        raise ResponsesError(
            f"items {responses.item_ids[graded][:5].tolist()} have more than two categories; method='wald' tests them"
        )
    complete = _complete(responses)
    rows = np.flatnonzero(complete)
    focal = groups.is_focal[rows]
    fewest = min(groups.size(responses, complete, focal=side) for side in (False, True))
    if fewest < LEAST_PERSONS:
        raise ResponsesError(
            f"only {rows.size} persons answered all {responses.n_items} items, {fewest} in the smaller group; a sum "
            "score does not match people who met different items; method='wald' takes them"
        )
    answers = responses.answer[complete[responses.person]].reshape(rows.size, responses.n_items)
    return lambda anchors: by_sum_score(answers, responses.counts[rows], focal, anchors)


def _complete(responses: Responses) -> Mask:
    return np.asarray(np.diff(responses.indptr) == responses.n_items)


def _purified(test: Callable[[Mask], Array], n_items: int, settings: DifOptions) -> Purified:
    everything = np.ones(n_items, dtype=bool)
    if not settings.purified:
        return Purified(everything, test(everything), 1, settled=True)
    return purify(test, everything, alpha=settings.alpha, least=min(LEAST_ANCHORS, n_items))


def _dif(  # noqa: PLR0913  (keyword-only)
    responses: Responses,
    groups: TwoGroups,
    found: Purified,
    *,
    method: str,
    statistic: Array,
    df: int,
    effect: Array,
    effect_name: str,
    classes: NDArray[np.object_],
    details: dict[str, Array],
) -> Dif:
    return Dif(
        method=method,
        reference=groups.reference,
        focal=groups.focal,
        ids=responses.item_ids,
        statistic=statistic,
        df=np.full(responses.n_items, df),
        p=p_value(statistic, df),
        effect=effect,
        effect_name=effect_name,
        classes=classes,
        anchors=responses.item_ids[found.anchors],
        n_reference=groups.size(responses, _complete(responses), focal=False),
        n_focal=groups.size(responses, _complete(responses), focal=True),
        rounds=found.rounds,
        settled=found.settled,
        details=details,
    )
