"""Item response theory as a library: families, calibration, scoring, linking, fit.  Frozen values in, new ones out."""

from thetaline.irt.calibrate import calibrate as calibrate
from thetaline.irt.calibration.climb import (
    Cycle as Cycle,
)
from thetaline.irt.calibration.climb import (
    Status as Status,
)
from thetaline.irt.calibration.fit import Fit as Fit
from thetaline.irt.calibration.notes import (
    Finding as Finding,
)
from thetaline.irt.calibration.notes import (
    Note as Note,
)
from thetaline.irt.dif import Dif as Dif
from thetaline.irt.dif import DifClass as DifClass
from thetaline.irt.dif import dif as dif
from thetaline.irt.drift import Drift as Drift
from thetaline.irt.drift import drift as drift
from thetaline.irt.families import FAMILIES as FAMILIES
from thetaline.irt.fit import ItemFit as ItemFit
from thetaline.irt.fit import LocalDependence as LocalDependence
from thetaline.irt.fit import ModelFit as ModelFit
from thetaline.irt.fit import PersonFit as PersonFit
from thetaline.irt.fit import item_fit as item_fit
from thetaline.irt.fit import local_dependence as local_dependence
from thetaline.irt.fit import model_fit as model_fit
from thetaline.irt.fit import person_fit as person_fit
from thetaline.irt.grid import Grid as Grid
from thetaline.irt.items import Items as Items
from thetaline.irt.linking import (
    ItemCovariance as ItemCovariance,
)
from thetaline.irt.linking import (
    Link as Link,
)
from thetaline.irt.linking import (
    LinkDiagnostics as LinkDiagnostics,
)
from thetaline.irt.linking import (
    LinkErrors as LinkErrors,
)
from thetaline.irt.linking import (
    LinkWeights as LinkWeights,
)
from thetaline.irt.linking import (
    link as link,
)
from thetaline.irt.population import Population as Population
from thetaline.irt.priors import (
    Beta as Beta,
)
from thetaline.irt.priors import (
    LogitNormal as LogitNormal,
)
from thetaline.irt.priors import (
    LogNormal as LogNormal,
)
from thetaline.irt.priors import (
    Normal as Normal,
)
from thetaline.irt.priors import (
    Prior as Prior,
)
from thetaline.irt.priors import (
    Priors as Priors,
)
from thetaline.irt.responses import Responses as Responses
from thetaline.irt.scoring import Scores as Scores
from thetaline.irt.scoring import ScoreStatus as ScoreStatus
from thetaline.irt.scoring import score as score
from thetaline.irt.simulate import simulate as simulate
from thetaline.irt.adaptive import AdaptiveTests as AdaptiveTests
from thetaline.irt.adaptive import ContentLimits as ContentLimits
from thetaline.irt.adaptive import NextItem as NextItem
from thetaline.irt.adaptive import Randomesque as Randomesque
from thetaline.irt.adaptive import StopRule as StopRule
from thetaline.irt.adaptive import SympsonHetter as SympsonHetter
from thetaline.irt.adaptive import calibrate_exposure as calibrate_exposure
from thetaline.irt.adaptive import next_item as next_item
from thetaline.irt.adaptive import simulate_adaptive as simulate_adaptive
from thetaline.irt.information import Information as Information
from thetaline.irt.information import information as information
from thetaline.irt.information import marginal_reliability as marginal_reliability
from thetaline.irt.scoring import SumScoreTable as SumScoreTable
from thetaline.irt.scoring import plausible_values as plausible_values
from thetaline.irt.scoring import sum_score_eap as sum_score_eap
from thetaline.irt import plot as plot
from thetaline.irt.linking import ChainLink as ChainLink
from thetaline.irt.linking import average_links as average_links
from thetaline.irt.linking import link_chain as link_chain
