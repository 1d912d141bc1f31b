"""The libraries of the extra `reports`: loaded when the first page is rendered, and missed by name."""

from importlib.util import find_spec

from thetaline.errors import InputError


def require(*names: str) -> None:
    """Raise InputError where one of the libraries is not installed."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise InputError(f"reports need {', '.join(missing)}: pip install 'thetaline[reports]'")
