"""Secrets that come as files: NAME_FILE is the path of a file that holds the value of NAME."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from pydantic import SecretStr

from thetaline.errors import SettingsError
from thetaline.settings.fields import Settings

SUFFIX = "_file"
SECRETS = frozenset(
    name
    for name, field in Settings.model_fields.items()
    if name == "database_url" or SecretStr in get_args(field.annotation)
)  # lower case; the database's URL carries its password
FILE_NAMES = frozenset(name + SUFFIX for name in SECRETS)


def read_secret_files(variables: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Values by the name of their setting, and what to say of each file that gives none.

    `variables` are those that are set, by lower-case name.
    """
    values: dict[str, str] = {}
    faults: list[str] = []
    for name in sorted(name for name in SECRETS if name + SUFFIX in variables):
        try:
            values[name] = read_secret_file(name, variables)
        except SettingsError as error:
            faults.append(str(error))
    return values, faults


def read_secret_file(name: str, variables: Mapping[str, str]) -> str:
    """The secret `name` without the white space around it: editors and `echo` end a file with a new line.

    Raises SettingsError for a file that gives none, or where the value is a variable too.
    """
    path = variables[name + SUFFIX]
    variable = (name + SUFFIX).upper()
    if name in variables:
        raise SettingsError(f"{name.upper()} and {variable} ({path}) are both set; unset one of them")
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(f"{variable} is {path}, which cannot be read: {why}") from None
    if not value:
        raise SettingsError(f"{variable} is {path}, which is empty; it must hold the value of {name.upper()}")
    return value
