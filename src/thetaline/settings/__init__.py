"""The settings in force: environment variables and `.env`, each with its rule; nothing else reads the environment."""

from pydantic import ValidationError

from thetaline.errors import SettingsError
from thetaline.settings.description import SettingLine, broken_rules, describe
from thetaline.settings.fields import Settings, time_zone
from thetaline.settings.names import given_names, misspelt, refused

__all__ = ["SettingLine", "Settings", "describe", "load", "misspelt", "time_zone"]


def load(**overrides: object) -> Settings:
    """The settings of this process; `overrides` (by field name) win over environment and `.env`.

    Raises SettingsError with name, value and rule of every setting that is wrong, and with every name of the contract
    that this version would not heed.
    """
    strangers = sorted(overrides.keys() - Settings.model_fields.keys())
    unheeded = [*refused(given_names()), *(f"{name.upper()} is no setting" for name in strangers)]
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError("; ".join([*broken_rules(error), *unheeded])) from None
    if unheeded:
        raise SettingsError("; ".join(unheeded))
    return settings
