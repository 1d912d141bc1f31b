"""Item response theory as a library: families, calibration, scoring, linking, fit.  Frozen values in, new ones out.

A part is loaded when it is first used, so that a calibration does not wait for plots and tests.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thetaline.irt import plot as plot
    from thetaline.irt.adaptive import (
        AdaptiveTests as AdaptiveTests,
        ContentLimits as ContentLimits,
        NextItem as NextItem,
        Randomesque as Randomesque,
        StopRule as StopRule,
        SympsonHetter as SympsonHetter,
        calibrate_exposure as calibrate_exposure,
        next_item as next_item,
        simulate_adaptive as simulate_adaptive,
    )
    from thetaline.irt.calibrate import calibrate as calibrate
    from thetaline.irt.calibration.em import (
        Cycle as Cycle,
        Status as Status,
    )
    from thetaline.irt.calibration.findings import (
        Finding as Finding,
        Note as Note,
    )
    from thetaline.irt.classical import (
        ItemAnalysis as ItemAnalysis,
        ItemFlag as ItemFlag,
        OptionTable as OptionTable,
        Reliability as Reliability,
        item_analysis as item_analysis,
        score_key as score_key,
    )
    from thetaline.irt.coefficients import Coefficients as Coefficients
    from thetaline.irt.covariance import ItemBlocks as ItemBlocks, ItemCovariance as ItemCovariance
    from thetaline.irt.dif import Dif as Dif, DifClass as DifClass, dif as dif
    from thetaline.irt.drift import Drift as Drift, drift as drift
    from thetaline.irt.families import FAMILIES as FAMILIES
    from thetaline.irt.fit import Fit as Fit
    from thetaline.irt.fit_statistics import (
        ItemFit as ItemFit,
        LocalDependence as LocalDependence,
        ModelFit as ModelFit,
        PersonFit as PersonFit,
        item_fit as item_fit,
        local_dependence as local_dependence,
        model_fit as model_fit,
        person_fit as person_fit,
    )
    from thetaline.irt.grid import Grid as Grid
    from thetaline.irt.information import (
        Information as Information,
        information as information,
        marginal_reliability as marginal_reliability,
    )
    from thetaline.irt.items import Items as Items
    from thetaline.irt.linking import (
        ChainLink as ChainLink,
        Link as Link,
        LinkDiagnostics as LinkDiagnostics,
        LinkErrors as LinkErrors,
        LinkWeights as LinkWeights,
        average_links as average_links,
        link as link,
        link_chain as link_chain,
    )
    from thetaline.irt.model_comparison import ModelComparison as ModelComparison, compare as compare
    from thetaline.irt.p_values import false_discovery as false_discovery
    from thetaline.irt.population import Population as Population
    from thetaline.irt.priors import (
        Beta as Beta,
        LogitNormal as LogitNormal,
        LogNormal as LogNormal,
        Normal as Normal,
        Prior as Prior,
        Priors as Priors,
    )
    from thetaline.irt.responses import Responses as Responses
    from thetaline.irt.scoring import (
        Scores as Scores,
        ScoreStatus as ScoreStatus,
        SumScoreTable as SumScoreTable,
        plausible_values as plausible_values,
        score as score,
        sum_score_eap as sum_score_eap,
    )
    from thetaline.irt.simulate import simulate as simulate

_NAMES = {
    "adaptive": "AdaptiveTests ContentLimits NextItem Randomesque StopRule SympsonHetter "
    "calibrate_exposure next_item simulate_adaptive",
    "calibrate": "calibrate",
    "calibration.em": "Cycle Status",
    "calibration.findings": "Finding Note",
    "classical": "ItemAnalysis ItemFlag OptionTable Reliability item_analysis score_key",
    "coefficients": "Coefficients",
    "covariance": "ItemBlocks ItemCovariance",
    "dif": "Dif DifClass dif",
    "drift": "Drift drift",
    "families": "FAMILIES",
    "fit": "Fit",
    "fit_statistics": "ItemFit LocalDependence ModelFit PersonFit item_fit local_dependence model_fit person_fit",
    "grid": "Grid",
    "information": "Information information marginal_reliability",
    "items": "Items",
    "linking": "ChainLink Link LinkDiagnostics LinkErrors LinkWeights average_links link link_chain",
    "model_comparison": "ModelComparison compare",
    "p_values": "false_discovery",
    "population": "Population",
    "priors": "Beta LogitNormal LogNormal Normal Prior Priors",
    "responses": "Responses",
    "scoring": "Scores ScoreStatus SumScoreTable plausible_values score sum_score_eap",
    "simulate": "simulate",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = ["plot", *_HOME]  # noqa: PLE0604  (made of names)


def __getattr__(name: str) -> Any:
    """Load a public name from its module at the first look."""
    if name == "plot":
        return import_module("thetaline.irt.plot")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)


class _Package(ModuleType):
    """Keeps `irt.dif` the function, also after the module `thetaline.irt.dif` is loaded."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
