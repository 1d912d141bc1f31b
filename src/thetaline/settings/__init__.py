"""The settings in force: the environment, `.env` and files of secrets, each with its rule; nothing else reads them."""

from pydantic import ValidationError

from thetaline.errors import SettingsError
from thetaline.settings.description import SettingLine, broken_rules, describe
from thetaline.settings.fields import Settings, time_zone
from thetaline.settings.names import given_names, given_values, misspelt, refused
from thetaline.settings.secret_files import SUFFIX, read_secret_file, read_secret_files

__all__ = ["SettingLine", "Settings", "describe", "load", "misspelt", "secret_now", "time_zone"]


def load(**overrides: object) -> Settings:
    """The settings of this process; `overrides` (by field name) win over environment and `.env`.

    Raises SettingsError with name, value and rule of every setting that is wrong, with every file of a secret that
    gives none, and with every name of the contract that this version would not heed.
    """
    strangers = sorted(overrides.keys() - Settings.model_fields.keys())
    secrets, faults = read_secret_files(given_values())
    unheeded = [*faults, *refused(given_names()), *(f"{name.upper()} is no setting" for name in strangers)]
    try:
        settings = Settings(**{**secrets, **overrides})  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError("; ".join([*broken_rules(error), *unheeded])) from None
    if unheeded:
        raise SettingsError("; ".join(unheeded))
    return settings


def secret_now(name: str) -> str | None:
    """The secret of a field as its file has it now, rotated perhaps since the start; None where no file is named.

    Raises SettingsError for a file that gives none.
    """
    given = given_values()
    return read_secret_file(name, given) if name + SUFFIX in given else None
