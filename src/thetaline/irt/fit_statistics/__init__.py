"""Fit: of items, of the whole model, of persons, and what pairs of items share beyond ability. One file a statistic."""

from thetaline.irt.fit_statistics.item_fit import ItemFit, item_fit
from thetaline.irt.fit_statistics.local_dependence import LocalDependence, local_dependence
from thetaline.irt.fit_statistics.model_fit import ModelFit, model_fit
from thetaline.irt.fit_statistics.person_fit import PersonFit, person_fit

__all__ = [
    "ItemFit",
    "LocalDependence",
    "ModelFit",
    "PersonFit",
    "item_fit",
    "local_dependence",
    "model_fit",
    "person_fit",
]
