"""Item response theory as a library: families, calibration, scoring, linking, fit.  Frozen values in, new ones out."""

from thetaline.irt.families import FAMILIES as FAMILIES
from thetaline.irt.items import Items as Items
from thetaline.irt.responses import Responses as Responses
from thetaline.irt.linking import (
    ItemCovariance as ItemCovariance,
    Link as Link,
    LinkDiagnostics as LinkDiagnostics,
    LinkErrors as LinkErrors,
    LinkWeights as LinkWeights,
    link as link,
)
