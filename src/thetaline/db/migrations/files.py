"""The migrations that this version ships: `sql/0001_first_schema.sql` and so on."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from thetaline.errors import InputError

FOLDER = Path(__file__).parent / "sql"
GRANTS = Path(__file__).with_name("grants.sql")
EMPTY = "0000"  # the revision of a database without our schema


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; a database at its revision has run it and all those before it."""

    revision: str
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        """As the file is called."""
        return f"{self.revision}_{self.name}"


@cache
def migration_files() -> tuple[Migration, ...]:
    """All of them, in order."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("[0-9]*.sql")))


def wanted() -> str:
    """The revision that this version of the package needs."""
    return migration_files()[-1].revision


def parse_revision(text: str) -> str:
    """`3` as `0003`. Raises `InputError` for a revision that this version does not have."""
    revision = text.zfill(len(EMPTY))
    if revision != EMPTY and revision not in {migration.revision for migration in migration_files()}:
        raise InputError(
            f"there is no revision {text!r}; this version has {migration_files()[0].revision} to {wanted()}"
        )
    return revision


def _read(path: Path) -> Migration:
    revision, _, name = path.stem.partition("_")
    return Migration(revision, name, path.read_text(encoding="utf-8"))
