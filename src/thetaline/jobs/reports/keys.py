"""Under which key a page lies in a store."""

from datetime import date
from enum import StrEnum
from hashlib import sha256
from urllib.parse import quote

from thetaline.reports.value import Audience

JOB = "generate_weekly_report"
PREFIX = "reports/"  # everything that is ours in a store lies under it
LONGEST_NAME = 200  # bytes of a name in a key; file systems take 255


class About(StrEnum):
    """Whose week a page tells."""

    LEARNER = "learner"
    CLASS = "class"


def format_of(audience: Audience, kind: str) -> str:
    """`report_artifacts.format`: the learner's page has the plain name."""
    return kind if audience is Audience.LEARNER else f"{audience}.{kind}"


def object_key(about: About, owner: str, week: date, format_: str) -> str:
    """`reports/{user_id}/{week}/report.{format}`, the id percent-encoded; classes lie beside the learners."""
    if about is About.CLASS:
        return f"{PREFIX}class/{_name(owner)}/{week}/class.{format_}"
    return f"{learner_prefix(owner)}{week}/report.{format_}"


def learner_prefix(user_id: str) -> str:
    """Under which all pages of a learner lie, and nobody else's."""
    return f"{PREFIX}{_name(user_id)}/"


def _name(owner: str) -> str:
    """Nothing that a path or a URL reads in a way of its own; what is too long for a file becomes its digest."""
    name = quote(owner, safe="").replace(".", "%2E")
    if owner == "class":  # the folder of the classes
        name = "%63lass"
    return name if len(name) <= LONGEST_NAME else f"%-{sha256(owner.encode()).hexdigest()}"
