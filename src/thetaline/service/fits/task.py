"""What a fit process is told to do."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """What to do with which file, and where the result goes; `most` is the limit of rows."""

    kind: str
    body: str
    result: str
    content_type: str
    options: Mapping[str, str]
    most: int
