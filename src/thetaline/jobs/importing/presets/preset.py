"""A declared mapping of a platform's export, read from TOML and checked."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from thetaline.errors import InputError
from thetaline.jobs.importing.columns import Role, listed
from thetaline.jobs.importing.files import AnswerFile
from thetaline.jobs.importing.options import Filter, row_filter
from thetaline.jobs.importing.units import TimeUnit
from thetaline.jobs.importing.wide import WideForm
from thetaline.jobs.importing.words import Verdict, word_meaning

_NEEDED = (Role.USER, Role.ITEM)


@dataclass(frozen=True, slots=True)
class Preset:
    """Of each role the alternatives, of which a file's is the first whose columns it has; and how values are parsed."""

    name: str
    title: str
    note: str = ""
    columns: Mapping[Role, Sequence[tuple[str, ...]]] = field(default_factory=dict)
    words: Mapping[str, Verdict] = field(default_factory=dict)
    filters: Sequence[Filter] = ()
    threshold: float | None = None
    time_format: str | None = None
    response_time_unit: TimeUnit | None = None
    topic_separator: str | None = None
    wide: WideForm | None = None

    def columns_of(self, source: AnswerFile, chosen: Mapping[Role, tuple[str, ...]]) -> dict[Role, tuple[str, ...]]:
        """The file's columns by role, `chosen` ones before the preset's.

        Raises InputError where a learner or an item has none of the preset's alternatives.
        """
        found = dict(chosen)
        for role, alternatives in self.columns.items():
            its = next((names for names in alternatives if set(names) <= set(source.names)), None)
            if role not in found and its is not None:
                found[role] = its
            if role not in found and role in _NEEDED:
                looked_for = " or ".join(" + ".join(names) for names in alternatives)
                raise InputError(
                    f"{source.path}: this is no file of the form {self.name}: it has no column {looked_for} ({role}); "
                    f"its columns are: {listed(source.names)}"
                )
        return found

    def filters_of(self, source: AnswerFile, chosen: Sequence[Filter]) -> tuple[Filter, ...]:
        """`chosen` filters, and those of the preset for other columns that the file has."""
        named = {one.column for one in chosen}
        return (*(one for one in self.filters if one.column in source.names and one.column not in named), *chosen)


@cache
def built_in_presets() -> Mapping[str, Preset]:
    """Those that come along, by name."""
    folder = files(__package__)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return {
        name.removesuffix(".toml"): _preset(name.removesuffix(".toml"), (folder / name).read_text("utf-8"))
        for name in names
    }


def find_preset(name: str) -> Preset:
    """A built-in preset, or one of your own in a TOML file.  Raises InputError where there is none, or a wrong one."""
    if name.endswith(".toml"):
        try:
            return _preset(name, Path(name).read_text("utf-8"))
        except OSError as error:
            raise InputError(f"--preset {name}: cannot be read ({error.strerror})") from None
    presets = built_in_presets()
    if name not in presets:
        raise InputError(f"--preset {name!r} is none; known are {', '.join(presets)}, or a file of your own (.toml)")
    return presets[name]


def _preset(name: str, text: str) -> Preset:
    try:
        given = tomllib.loads(text)
        return _of_toml(name, given)
    except (tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise InputError(f"preset {name}: {error}") from error


def _of_toml(name: str, given: dict[str, Any]) -> Preset:
    wide = given.pop("wide", None)
    unit = given.pop("response_time_unit", None)
    return Preset(
        name=name,
        title=given.pop("title"),
        columns={Role(role): tuple(map(_names, its)) for role, its in given.pop("columns", {}).items()},
        words=dict(word_meaning(f"{word}={meaning}") for word, meaning in given.pop("map", {}).items()),
        filters=tuple(map(row_filter, given.pop("filter", ()))),
        response_time_unit=None if unit is None else TimeUnit(unit),
        wide=None if wide is None else WideForm(**wide),
        **given,
    )


def _names(alternative: str | list[str]) -> tuple[str, ...]:
    return (alternative,) if isinstance(alternative, str) else tuple(alternative)
