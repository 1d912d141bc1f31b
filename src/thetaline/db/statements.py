"""Named SQL: statements live in `.sql` files beside the code that runs them."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from psycopg.sql import Literal

_NAME = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


@cache
def sql(path: str) -> Mapping[str, str]:
    """The statements of a file by name; `path` is relative to the package (`"jobs/calibration/window.sql"`).

    A statement starts under a line `-- name: some_name` and ends at the next one. A repeated name raises `KeyError`.
    """
    _, *parts = _NAME.split(files("thetaline").joinpath(path).read_text(encoding="utf-8"))
    statements: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in statements:
            raise KeyError(f"{path} names {name!r} twice")
        statements[name] = body.strip().rstrip(";")
    return MappingProxyType(statements)


def rendered(statement: str, values: Mapping[str, object]) -> str:
    """The statement with the values written into it, for a script and for what takes no parameters."""
    filled = re.sub(r"%\((\w+)\)s", lambda found: Literal(values[found[1]]).as_string(None), statement)
    return filled.replace("%%", "%")
