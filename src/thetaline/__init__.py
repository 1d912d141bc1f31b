"""Item response theory for learning platforms: calibrate, link, score, and the pipeline that does it every night."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from thetaline.client import AsyncClient as AsyncClient, Client as Client

    __version__: str


def __getattr__(name: str) -> Any:
    """The version and the clients of the service, when they are asked for: a calibration waits for neither."""
    if name == "__version__":
        return import_module("importlib.metadata").version("thetaline")
    if name not in ("Client", "AsyncClient"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module("thetaline.client"), name)
    except ModuleNotFoundError as error:
        said = f"thetaline.{name} needs {error.name}; install it by: pip install 'thetaline[client]'"
        raise ImportError(said, name=error.name) from error
