"""What a caller asked for, parsed once (a family an item, anchors, groups), and the model that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetaline.errors import ItemsError, ResponsesError
from thetaline.irt._alignment import labelled_dict, labels_of
from thetaline.irt._arguments import group_column
from thetaline.irt._types import Array, Ids, Index, Ints, Labelled, Mask
from thetaline.irt.calibration.model import EmState, ItemBlock, Model
from thetaline.irt.calibration.observed_data import ObservedData
from thetaline.irt.category_codes import declared_widths, understood
from thetaline.irt.families import FAMILIES, model_names
from thetaline.irt.items import Items, refuse_positions
from thetaline.irt.priors import Priors
from thetaline.irt.responses import Responses

ModelChoice = str | Mapping[Any, str] | Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class ModelSpec:
    """Per item, in the caller's order: model, categories, whether it is an anchor.  Per person: group."""

    model: NDArray[np.object_]  # (I,)
    n_categories: Index  # (I,)
    anchored: Mask  # (I,)
    anchors: Items | None  # those that were answered
    labels: tuple[object, ...]  # (G,)
    group: Index  # (N,)
    position: dict[object, int]  # of an item id
    by_position: bool  # ids are only positions
    lowest: Ints  # (I,) code of the lowest category


def with_categories(responses: Responses, model: ModelChoice, anchors: Items | None) -> Responses:
    """Count the categories of every item from 0, see `understood`; raises ItemsError for models that are none."""
    used = _answered(anchors, {name: k for k, name in enumerate(responses.item_ids.tolist())})
    names = _models(model, responses, used).tolist()
    return understood(responses, np.array([FAMILIES[name].polytomous for name in names]), used)


def parse_model_spec(
    responses: Responses,
    counts: Array,
    *,
    model: ModelChoice,
    anchors: Items | None,
    groups: Labelled | None,
    priors: Priors,
) -> ModelSpec:
    """Parse the arguments of `calibrate`; `counts` (I, K) are the answers by category.

    Declared categories that nobody gave are kept where a prior holds their thresholds.

    Raises ItemsError, ResponsesError or InputError for what does not fit.
    """
    position = {name: k for k, name in enumerate(responses.item_ids.tolist())}
    if anchors is not None and anchors.by_position and responses.items_by_position:
        refuse_positions("responses", "anchors", "Responses.from_matrix(x, items=...), or a data frame")
    used = _answered(anchors, position)
    models = _models(model, responses, used)
    declared = declared_widths(responses.ranges, responses.n_items)
    categories = _categories(responses.item_ids, counts, models, declared)
    if priors.b is not None:
        categories = np.maximum(categories, declared)
    anchored = np.zeros(responses.n_items, dtype=bool)
    if used is not None:
        at = np.array([position[name] for name in used.ids.tolist()])
        anchored[at] = True
        categories[at] = _anchor_categories(used, categories[at])
    labels, group = _groups(groups, responses)
    by_position = responses.items_by_position and anchors is None
    lowest = np.zeros(responses.n_items, dtype=np.int64) if responses.ranges is None else responses.ranges[:, 0]
    return ModelSpec(models, categories, anchored, used, labels, group, position, by_position, lowest)


def _answered(anchors: Items | None, position: dict[object, int]) -> Items | None:
    if anchors is None:
        return None
    known = [name for name in anchors.ids.tolist() if name in position]
    if not known:
        raise ItemsError(f"none of the {len(anchors)} anchors is among the items, first {anchors.ids[:3].tolist()}")
    used = anchors.take(known)
    if (used.a == 0).any():
        flat = used.ids[used.a == 0][:5].tolist()
        raise ItemsError(f"anchors {flat} have a = 0: answers to them say nothing of theta; leave them out of anchors")
    return used


def _models(model: ModelChoice, responses: Responses, anchors: Items | None) -> NDArray[np.object_]:
    ids = responses.item_ids.tolist()
    given = dict(zip(anchors.ids.tolist(), anchors.model.tolist(), strict=True)) if anchors is not None else {}
    if isinstance(model, str):
        own = dict.fromkeys(ids, model)
    elif labels_of(model) is not None:
        own = labelled_dict(model)
    else:
        own = dict(zip(ids, model, strict=True)) if len(model) == len(ids) else {}
    without = [name for name in ids if name not in own and name not in given]
    if without:
        raise ItemsError(f"no model is given for {len(without)} items, first {without[:5]}")
    own = dict(zip(own, model_names(own.values()), strict=True))
    out = np.empty(len(ids), dtype=object)
    out[:] = [given.get(name, own.get(name)) for name in ids]
    return out


def _categories(ids: Ids, counts: Array, models: NDArray[np.object_], declared: Ints) -> Index:
    """Highest category + 1, at least 2; raises ResponsesError where a model has fewer than were given or declared."""
    used = np.where(counts > 0, np.arange(counts.shape[1]), 0)
    out = np.maximum(used.max(axis=1), 1) + 1
    two = np.array([not FAMILIES[name].polytomous for name in models.tolist()])
    beyond = two & (np.maximum(out, declared) > 2)
    if beyond.any():
        raise ResponsesError(
            f"items {ids[beyond][:5].tolist()} have answers other than 0 and 1, or are declared to; "
            "score them right or wrong, declare categories=(1, 2), or take GRM, PCM or GPCM"
        )
    return np.asarray(out)


def _anchor_categories(anchors: Items, seen: Index) -> Index:
    """An anchor's own number of categories, whichever of them were given."""
    more = seen > anchors.n_categories
    if more.any():
        raise ItemsError(f"anchors {anchors.ids[more][:5].tolist()} have answers beyond their categories")
    return anchors.n_categories


def _groups(groups: Labelled | None, responses: Responses) -> tuple[tuple[object, ...], Index]:
    """Labels in sorted order, the first of which is the reference, and each person's position among them."""
    if groups is None:
        return ("all",), np.zeros(responses.n_persons, dtype=np.intp)
    column = group_column(groups, responses.person_ids)
    labels, group = np.unique(column, return_inverse=True)
    with_answers = np.bincount(group, np.diff(responses.indptr), minlength=len(labels))
    if (with_answers == 0).any():
        raise ResponsesError(f"groups {labels[with_answers == 0].tolist()} have no answers")
    return tuple(labels.tolist()), group.astype(np.intp)


def build_model(spec: ModelSpec, data: ObservedData, *, fixed_nodes: bool) -> Model:
    """Arrange item_blocks in canonical order; on a given theta scale Rasch and PCM have slope 1 and the sd is free."""
    given_scale = spec.anchors is not None or fixed_nodes
    item_blocks = tuple(
        ItemBlock(FAMILIES[name], k, at, slope_free=not (FAMILIES[name].unit and given_scale))
        for name, k, at in _batches(spec, data, anchored=False)
    )
    anchors = tuple(_anchor_blocks(spec, data))
    free = np.full(len(spec.labels), True)
    mean_free, sd_free = free.copy(), free.copy()
    if spec.anchors is None:
        mean_free[0] = False
        sd_free[0] = any(not block.slope_free for block in item_blocks)
    return Model(item_blocks, anchors, data.offsets, mean_free, sd_free)


def _batches(spec: ModelSpec, data: ObservedData, *, anchored: bool) -> Iterator[tuple[str, int, Index]]:
    models = spec.model[data.order]
    here = spec.anchored[data.order] == anchored
    sizes = data.n_categories
    for name, k in sorted({(str(m), int(s)) for m, s in zip(models[here], sizes[here], strict=True)}):
        yield name, k, np.flatnonzero(here & (models == name) & (sizes == k))


def _anchor_blocks(spec: ModelSpec, data: ObservedData) -> Iterator[tuple[ItemBlock, Array]]:
    if spec.anchors is None:
        return
    at = {name: k for k, name in enumerate(spec.anchors.ids.tolist())}
    id_at = {k: name for name, k in spec.position.items()}
    for name, k, index in _batches(spec, data, anchored=True):
        rows = np.array([at[id_at[int(data.order[j])]] for j in index], dtype=np.intp)
        yield ItemBlock(FAMILIES[name], k, index), spec.anchors.batch(rows).free


def starting_state(model: Model, spec: ModelSpec, category_counts: Array) -> EmState:
    """Begin at slope 1 and the observed proportions (`category_counts` (I, K) in canonical order)."""
    smooth = category_counts + 0.5
    free = []
    for block in model.item_blocks:
        counts = smooth[block.index, : block.n_categories]
        free.append(block.family.start(counts / counts.sum(axis=1, keepdims=True)))
    n_groups = len(spec.labels)
    return EmState(tuple(free), np.zeros(n_groups), np.ones(n_groups))
