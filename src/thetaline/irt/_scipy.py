"""SciPy's parts, each loaded when it is first used: together they take longer to import than a night's calibration."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scipy import linalg as linalg, optimize as optimize, sparse as sparse, special as special
    from scipy.sparse import csgraph as csgraph
else:

    class _Part:
        """A module that is imported by the first look at one of its names."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, name: str) -> Any:
            return getattr(import_module(self._name), name)

    linalg, sparse, special = _Part("scipy.linalg"), _Part("scipy.sparse"), _Part("scipy.special")
    csgraph, optimize = _Part("scipy.sparse.csgraph"), _Part("scipy.optimize")
