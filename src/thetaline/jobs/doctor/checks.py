"""What `thetaline doctor` checks: the installation, the settings, the database; each check is a value with advice."""

import platform
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from thetaline import db
from thetaline.db import embedded, job_lock
from thetaline.errors import DatabaseError, MigrationError
from thetaline.masking import mask_url
from thetaline.settings import Settings, describe, misspelt

INSTALLATION = "installation"
LEAST_FREE_BYTES = 1_000_000_000
_REQUIRED_EXTRAS = ("", "pipeline")
_REQUIREMENT = re.compile(r"^(?P<name>[\w.-]+)(\[[\w,-]+\])?(?P<range>[^;]*)(;.*extra == ['\"](?P<extra>[\w-]+)['\"])?")
DATABASE = "database"
_SQL = db.sql("jobs/doctor/checks.sql")


class Grade(StrEnum):
    """Of the result of a check."""

    OK = "ok"
    NOTE = "note"  # worth knowing, no fault
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """The result of one check; a fault says in `advice` what to do."""

    part: str
    name: str
    grade: Grade
    found: str
    advice: str = ""


def ok(part: str, name: str, found: object) -> DoctorFinding:
    """As it should be."""
    return DoctorFinding(part, name, Grade.OK, str(found))


def note(part: str, name: str, found: object, advice: str = "") -> DoctorFinding:
    """Worth knowing."""
    return DoctorFinding(part, name, Grade.NOTE, str(found), advice)


def fault(part: str, name: str, found: object, advice: str) -> DoctorFinding:
    """Wrong."""
    return DoctorFinding(part, name, Grade.FAULT, str(found), advice)


def installation() -> Iterator[DoctorFinding]:
    """Versions; a package of the base or of the pipeline that is missing is a fault, of another extra a note."""
    yield ok(INSTALLATION, "Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield ok(INSTALLATION, "thetaline", metadata.version("thetaline"))
    for extra, packages in requirements("thetaline").items():
        yield _extra(extra, packages)


def requirements(distribution: str) -> dict[str, dict[str, str]]:
    """For each extra ("" is the base) its packages and their ranges; `all` repeats the others and is left out."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for text in metadata.requires(distribution) or ():
        parts = _REQUIREMENT.match(text)
        if parts and parts["extra"] != "all":
            found[parts["extra"] or ""][parts["name"]] = parts["range"].strip()
    return dict(found)


def settings_in_force(settings: Settings, *, every: bool) -> Iterator[DoctorFinding]:
    """The settings that differ in source from the default, or every one, masked."""
    lines = describe(settings)
    shown = [line for line in lines if every or line.source != "default"]
    for line in shown:
        yield ok("settings", line.name, f"{line.value} ({line.source}; default {line.default}): {line.description}")
    if len(shown) < len(lines):
        yield ok("settings", "others", f"{len(lines) - len(shown)} at their defaults; --settings lists them")
    for name, meant in misspelt().items():
        yield note("settings", name, "is no setting", f"did you mean {meant}?")


def disk(folder: Path) -> DoctorFinding:
    """Free space where the embedded database grows."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    shown = f"{free / 1e9:,.1f} GB free at {there}"
    if free < LEAST_FREE_BYTES:
        return fault(DATABASE, "disk", shown, "free some space, or move the data by THETALINE_DATA_DIR")
    return ok(DATABASE, "disk", shown)


def _extra(extra: str, packages: dict[str, str]) -> DoctorFinding:
    versions = {name: _version(name) for name in packages}
    missing = [name + packages[name] for name, version in versions.items() if version is None]
    name = extra or "base"
    if not missing:
        return ok(INSTALLATION, name, ", ".join(f"{package} {version}" for package, version in versions.items()))
    text, advice = f"missing: {', '.join(missing)}", f"pip install 'thetaline[{extra}]'"
    return (
        fault(INSTALLATION, name, text, advice) if extra in _REQUIRED_EXTRAS else note(INSTALLATION, name, text, advice)
    )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def database(settings: Settings) -> Iterator[DoctorFinding]:
    """Nothing is changed, and an embedded database that was never used is not made."""
    if settings.database_url:
        yield ok(DATABASE, "which", mask_url(settings.database_url))
        yield from _examined(settings.database_url)
        return
    yield ok(DATABASE, "which", f"the embedded PostgreSQL in {settings.database_folder}")
    yield disk(settings.database_folder)
    if not (settings.database_folder / "data").exists():
        yield note(DATABASE, "data", "none yet", "the first command that needs it makes it; try `thetaline demo`")
        return
    try:
        url = embedded.url(settings.database_folder)
    except DatabaseError as error:
        yield fault(DATABASE, "server", error, f"see the end of {settings.database_folder / 'server.log'}")
        return
    yield from _examined(url)


def _examined(url: str) -> Iterator[DoctorFinding]:
    try:
        with db.connect(url, name="thetaline doctor", autocommit=True) as conn:
            yield from _answering(conn)
    except DatabaseError as error:
        yield fault(
            DATABASE, "server", error, "start that server, correct DATABASE_URL, or unset it for the embedded database"
        )
    except psycopg.Error as error:
        yield fault(DATABASE, "contents", db.explained(error, url), "the tables are not as this version made them")


def _answering(conn: psycopg.Connection[Any]) -> Iterator[DoctorFinding]:
    server = _rows(conn, "server")[0]
    yield ok(DATABASE, "server", f"PostgreSQL {server['version']}, {server['n_bytes'] / 1e6:,.0f} MB in this database")
    try:
        db.check_migrated(conn)
    except MigrationError as error:
        yield fault(DATABASE, "schema", error, "thetaline db migrate")
        return
    yield ok(DATABASE, "schema", "that of this version")
    yield from _under_way(conn)
    yield from _last_runs(conn)
    yield _contents(conn)


def _under_way(conn: psycopg.Connection[Any]) -> Iterator[DoctorFinding]:
    """A run whose job's lock is free has lost its process: an orphan."""
    for run in _rows(conn, "running"):
        text = f"{run['run_id']} since {run['started_at']:%Y-%m-%d %H:%M} UTC, process {run['pid']} on {run['host']}"
        holder = job_lock.holder(conn, run["job"])
        if holder:
            yield note("runs", run["job"], f"under way: {holder}")
        else:
            yield fault("runs", run["job"], f"orphaned: {text}", "the next start of this job closes it; start it again")


def _last_runs(conn: psycopg.Connection[Any]) -> Iterator[DoctorFinding]:
    for run in _rows(conn, "last_runs"):
        text = f"{run['run_id']} for {run['as_of']}: {run['state']}"
        if run["state"] in {"failed", "held"}:
            why = f" ({run['error']})" if run["error"] else ""
            yield note("runs", run["job"], text + why, f"thetaline runs show {run['run_id']}")
        else:
            yield ok("runs", run["job"], text)


def _contents(conn: psycopg.Connection[Any]) -> DoctorFinding:
    held = _rows(conn, "counts")[0]
    if not held["answers"]:
        return note(DATABASE, "contents", "no answers yet", "thetaline import FILE, or thetaline demo")
    return ok(
        DATABASE,
        "contents",
        f"{held['answers']:,} answers of {held['learners']:,} learners to {held['questions']:,} questions "
        f"({held['anchors']:,} anchors), the last on {held['last_answer']:%Y-%m-%d}",
    )


def _rows(conn: psycopg.Connection[Any], statement: str) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_SQL[statement]).fetchall()
