"""What an examination found: a value each, with advice where something is wrong."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"  # worth knowing, nothing to mend
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; a fault says in `advice` what to do."""

    part: str
    name: str
    grade: Grade
    found: str
    advice: str = ""


def fine(part: str, name: str, found: object) -> Finding:
    """As it should be."""
    return Finding(part, name, Grade.OK, str(found))


def note(part: str, name: str, found: object, advice: str = "") -> Finding:
    """Worth knowing."""
    return Finding(part, name, Grade.NOTE, str(found), advice)


def fault(part: str, name: str, found: object, advice: str) -> Finding:
    """To be mended."""
    return Finding(part, name, Grade.FAULT, str(found), advice)
