"""Standard errors of a calibration: observed information (Oakes), cross-products, sandwich."""

from thetaline.irt.standard_errors.estimate import (
    covariance as covariance,
    covariance_by_item as covariance_by_item,
    standard_errors as standard_errors,
)
from thetaline.irt.standard_errors.result import StandardErrors as StandardErrors
