"""What is installed: Python, thetaline, and for each extra the packages that it needs."""

import platform
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from thetaline.jobs.doctor.findings import Finding, fault, fine, note
from thetaline.settings import Settings, describe

PART = "installation"
LEAST_FREE_BYTES = 1_000_000_000
_NEEDED = ("", "pipeline")
_REQUIREMENT = re.compile(r"^(?P<name>[\w.-]+)(\[[\w,]+\])?(?P<range>[^;]*)(;.*extra == ['\"](?P<extra>\w+)['\"])?")


def installation() -> Iterator[Finding]:
    """Versions; a package of the base or of the pipeline that is missing is a fault, of another extra a note."""
    yield fine(PART, "Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield fine(PART, "thetaline", metadata.version("thetaline"))
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


def settings_in_force(settings: Settings, *, every: bool) -> Iterator[Finding]:
    """The settings that somebody gave, or every one, masked."""
    lines = describe(settings)
    shown = [line for line in lines if every or line.source != "default"]
    for line in shown:
        yield fine("settings", line.name, f"{line.value} ({line.source}; default {line.default}): {line.description}")
    if len(shown) < len(lines):
        yield fine("settings", "others", f"{len(lines) - len(shown)} at their defaults; --settings lists them")


def disk(folder: Path) -> Finding:
    """Free space where the embedded database grows."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    shown = f"{free / 1e9:,.1f} GB free at {there}"
    if free < LEAST_FREE_BYTES:
        return fault("database", "disk", shown, "free some space, or move the data by THETALINE_DATA_DIR")
    return fine("database", "disk", shown)


def _extra(extra: str, packages: dict[str, str]) -> Finding:
    versions = {name: _version(name) for name in packages}
    missing = [name + packages[name] for name, version in versions.items() if version is None]
    name = extra or "base"
    if not missing:
        return fine(PART, name, ", ".join(f"{package} {version}" for package, version in versions.items()))
    told, advice = f"missing: {', '.join(missing)}", f"pip install 'thetaline[{extra}]'"
    return fault(PART, name, told, advice) if extra in _NEEDED else note(PART, name, told, advice)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
