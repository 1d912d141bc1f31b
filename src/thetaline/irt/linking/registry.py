"""The link methods by the name that callers write."""

from thetaline.errors import ItemsError
from thetaline.irt.linking.constants import Method
from thetaline.irt.linking.haebara import Haebara
from thetaline.irt.linking.mean_gmean import MeanGeometricMean
from thetaline.irt.linking.mean_mean import MeanMean
from thetaline.irt.linking.mean_sigma import MeanSigma
from thetaline.irt.linking.stocking_lord import StockingLord

METHODS: dict[str, Method] = {
    method.name: method for method in (StockingLord(), Haebara(), MeanSigma(), MeanMean(), MeanGeometricMean())
}


def method_named(name: str) -> Method:
    """The method of that name; raises ItemsError with the names that are known."""
    if name not in METHODS:
        raise ItemsError(f"unknown link method {name!r}; known are {', '.join(METHODS)}")
    return METHODS[name]
