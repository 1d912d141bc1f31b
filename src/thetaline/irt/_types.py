"""Names for the arrays that all of `irt` hands around; shapes stand beside each use."""

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
FloatArray = NDArray[Any]  # float32 or float64, as the size of the problem asks
Index = NDArray[np.intp]  # positions and numbers of things
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Ids = NDArray[np.object_]  # hashable scalars of the caller's
Categories = NDArray[np.uint8]  # answers: 0 .. K - 1
Labelled = ArrayLike | Mapping[Any, Any]  # a value a person or item: by label where it has labels, else by position

Value = TypeVar("Value", bound=type)

LONGEST = 40  # characters of a field that is shown as it is


def short_repr(cls: Value) -> Value:
    """Give a dataclass a `repr` of a line or two: numbers and words as they are, arrays by their shape."""

    def shown(self: Any) -> str:
        parts = (f"{field.name}{_shown(getattr(self, field.name))}" for field in fields(self) if field.repr)
        return f"{type(self).__name__}({', '.join(parts)})"

    setattr(cls, "__repr__", shown)  # noqa: B010  (a plain assignment is no method to a type checker)
    return cls


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"[{'×'.join(str(n) for n in value.shape)}]"
    if isinstance(value, float):
        return f"={value:.4g}"
    if isinstance(value, Enum):
        return f"={value.value!r}"
    text = repr(value)
    if len(text) <= LONGEST:
        return f"={text}"
    return f"[{len(value)}]" if hasattr(value, "__len__") else f"={type(value).__name__}"
