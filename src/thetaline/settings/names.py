"""Names of variables: whose they are, which of them this version does not heed, and which are nearly ours."""

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from dotenv import dotenv_values

from thetaline.errors import SettingsError
from thetaline.settings.fields import ENV_FILE, Settings
from thetaline.settings.secret_files import FILE_NAMES, SUFFIX

# The contract has these, but nothing here uses them yet: whoever sets one must not believe that it works.
# Names that other programs use too (AWS_REGION, LOG_LEVEL) are left alone.
UNHEEDED = frozenset(
    {
        "alert_webhook_url",
        "mirt_source",
        "thetaline_schema",
    }
)
MOST_EDITS = 2
LEAST_LIKENESS = 0.7  # of what follows one of these prefixes
PREFIXES = ("mirt_", "r_irt_", "thetaline_")  # hardly anybody else's: a name may be farther off and still be meant
# Kubernetes gives every pod such variables for every service; one may be called "mirt".
_OF_KUBERNETES = re.compile(r"_service_(host|port)(_\w+)?$|_port(_\d+_(tcp|udp)(_\w+)?)?$")


def sources() -> dict[str, set[str]]:
    """Lower-case names of the settings that are set, by where; the first source wins.

    Raises SettingsError for a `.env` that is not UTF-8.
    """
    by_file = {name.removesuffix(SUFFIX) for name in FILE_NAMES & given_values().keys()}
    return {**{source: set(variables) for source, variables in _variables().items()}, "file": by_file}


def given_names() -> set[str]:
    """Lower-case names of the settings and variables that are set anywhere."""
    return set().union(*sources().values())


def given_values() -> dict[str, str]:
    """Each variable that is set, by its lower-case name, as the first of its sources has it."""
    values: dict[str, str] = {}
    for variables in _variables().values():
        values = {**variables, **values}
    return values


def refused(names: Iterable[str]) -> list[str]:
    """What to say about each name of the contract that this version does not heed."""
    return [f"{name.upper()} does nothing in this version; unset it" for name in sorted(UNHEEDED.intersection(names))]


def misspelt() -> dict[str, str]:
    """Each variable that is nearly one of our settings and nobody else's, and the setting that was meant."""
    given, ours = given_names(), Settings.model_fields.keys()
    meant = {name: _meant(name, ours - given) for name in sorted(given - ours - UNHEEDED - FILE_NAMES)}
    return {name.upper(): near.upper() for name, near in meant.items() if near}


def _meant(name: str, unset: set[str]) -> str | None:
    """Whoever has set DATABASE_URL may have a DATABASE_URI of his own: only what is not set can be meant."""
    if _OF_KUBERNETES.search(name):
        return None
    alike = [one for one in sorted(unset) if _may_be_near(name, one)]
    near = min(alike, key=lambda one: _edits(name, one), default="")
    if near and _edits(name, near) <= MOST_EDITS:
        return near
    for prefix in PREFIXES:
        if name.startswith(prefix):
            family = [one.removeprefix(prefix) for one in sorted(unset) if one.startswith(prefix)]
            close = get_close_matches(name.removeprefix(prefix), family, n=1, cutoff=LEAST_LIKENESS)
            return prefix + close[0] if close else None
    return None


def _may_be_near(one: str, other: str) -> bool:
    """A cheap look that spares nearly all pairs the exact count."""
    return abs(len(one) - len(other)) <= MOST_EDITS >= max(len(set(one) - set(other)), len(set(other) - set(one)))


def _edits(one: str, other: str) -> int:
    """Fewest letters inserted, left out, replaced, or swapped with their neighbour (optimal string alignment)."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, there in enumerate(other, start=1):
            best = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (letter != there))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == there:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def _variables() -> dict[str, dict[str, str]]:
    try:
        written = dotenv_values(ENV_FILE)
    except UnicodeDecodeError as error:
        raise SettingsError(f"{ENV_FILE} is not UTF-8 text ({error.reason} at byte {error.start})") from None
    return {"environment": _set(os.environ), ENV_FILE: _set(written)}


def _set(variables: Mapping[str, str | None]) -> dict[str, str]:
    return {name.lower(): value for name, value in variables.items() if value}
