"""Settings in words: value, default, source and rule of each, and which rules were broken."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any, get_args

import annotated_types
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from thetaline.masking import MASK, mask_url
from thetaline.settings.fields import Settings, shown_value
from thetaline.settings.names import sources


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One setting as `doctor` and the documentation list it; secrets are masked."""

    name: str
    value: str
    default: str
    source: str  # environment, .env, file (of a secret) or default
    rule: str
    description: str


def describe(settings: Settings) -> list[SettingLine]:
    """All settings in the order of `Settings`, for people."""
    given = sources()
    return [_line(settings, name, field, given) for name, field in Settings.model_fields.items()]


def broken_rules(error: ValidationError) -> list[str]:
    """Name, value and rule of each setting that is wrong."""
    wrong = {str(one["loc"][0]): one["input"] for one in error.errors()}
    return [_broken(name, value) for name, value in wrong.items()]


def _line(settings: Settings, name: str, field: FieldInfo, given: Mapping[str, set[str]]) -> SettingLine:
    return SettingLine(
        name=name.upper(),
        value=shown_value(getattr(settings, name)),
        default=shown_value(field.default),
        source=next((source for source, names in given.items() if name in names), "default"),
        rule=_rule(field),
        description=field.description or "",
    )


def _broken(name: str, value: object) -> str:
    field = Settings.model_fields[name]
    told = repr(mask_url(value) if isinstance(value, str) else value)
    shown = MASK if SecretStr in _types(field.annotation) else told
    return f"{name.upper()} is {shown}; it must be {_rule(field)}"


def _rule(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    explicit: Any = extra.get("rule") if isinstance(extra, dict) else None
    written = explicit() if callable(explicit) else explicit
    return written or _rule_of_type(field) + _limits(field)


def _rule_of_type(field: FieldInfo) -> str:
    types = _types(field.annotation)
    words = {bool: "true or false", int: "a whole number", float: "a number"}
    text = words.get(types[0], "text")
    return f"{text}, or unset" if NoneType in types else text


def _types(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) or (annotation,)


def _limits(field: FieldInfo) -> str:
    words = {
        annotated_types.Ge: ("ge", "at least {}"),
        annotated_types.Gt: ("gt", "above {}"),
        annotated_types.Le: ("le", "at most {}"),
    }
    known = [(words[type(limit)], limit) for limit in field.metadata if type(limit) in words]
    return "".join(f", {text.format(getattr(limit, name))}" for (name, text), limit in known)
