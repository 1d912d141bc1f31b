"""Names for the arrays that all of `irt` hands around; shapes stand beside each use."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FloatArray = NDArray[Any]  # float32 or float64, as the size of the problem asks
Index = NDArray[np.intp]  # positions and numbers of things
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Ids = NDArray[np.object_]  # hashable scalars of the caller's
Categories = NDArray[np.uint8]  # answers: 0 .. K - 1
