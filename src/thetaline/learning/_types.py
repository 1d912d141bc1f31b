"""Names for the arrays that all of `learning` hands around; shapes stand beside each use."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Int32s = NDArray[np.int32]
Ints = NDArray[np.int64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
