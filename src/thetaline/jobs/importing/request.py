"""What an import was asked for, and what that means for a file at hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from thetaline.errors import InputError
from thetaline.jobs.importing.columns import Choice, Columns, Role, assign, listed
from thetaline.jobs.importing.files import AnswerFile
from thetaline.jobs.importing.options import ParseOptions
from thetaline.jobs.importing.presets import Preset, built_in_presets
from thetaline.jobs.importing.wide import MADE, ROW, WideForm, melted
from thetaline.jobs.importing.words import Verdict


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Columns by role, how values are parsed, whether the file is wide, and the preset that all this goes over."""

    columns: Columns = field(default_factory=dict)
    options: ParseOptions = field(default_factory=ParseOptions)
    wide: WideForm | None = None
    preset: Preset | None = None


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A file (in long form), its columns by role, how its values are parsed."""

    source: AnswerFile
    columns: Columns
    options: ParseOptions
    form: WideForm | None = None  # of a wide file

    @property
    def places(self) -> frozenset[Role]:
        """The roles whose ids are only places in this file, which another file has too."""
        items = self.named_by_columns and self.form is not None and self.form.numbered
        users = self.columns.get(Role.USER) == (ROW,)
        return frozenset(role for role, only in ((Role.ITEM, items), (Role.USER, users)) if only)

    @property
    def named_by_columns(self) -> bool:
        """Whether items are columns of a wide file, of which nobody says whose they are."""
        return self.form is not None and self.options.item_prefix is None

    @property
    def names(self) -> dict[str, Role | None]:
        """The columns that are read, each once, with the first of its roles; None for one that only filters."""
        names: dict[str, Role | None] = {}
        for role, its in self.columns.items():
            for place, name in enumerate(its):
                names.setdefault(name, role if place == 0 else None)
        return names | {one.column: None for one in self.options.filters if one.column not in names}

    @property
    def ignored(self) -> tuple[str, ...]:
        """The columns that are not read."""
        return tuple(name for name in self.source.names if name not in self.names and name not in MADE)

    def in_words(self, units: Mapping[Role, str]) -> dict[str, str]:
        """The columns of each role, and what their numbers count."""
        return {
            str(role): " + ".join(names) + (f" ({units[role]})" if role in units else "")
            for role in Role
            if (names := self.columns.get(role))
        }


def map_file(source: AnswerFile, request: ImportRequest) -> FileMapping:
    """The request as it applies to the file.  Raises InputError for columns that it does not have."""
    options, chosen, wide = request.options, dict(request.columns), request.wide
    if request.preset is not None:
        chosen = request.preset.columns_of(source, chosen)
        options = _over(request.preset, source, options)
        wide = _wide_over(request.preset, wide)
    choice = Choice(chosen, keyed=options.key is not None)
    if wide is None:
        return FileMapping(source, _assigned(source, choice), _checked(source, options))
    missing = [word for word, meant in options.words.items() if meant is Verdict.MISSING]
    scored = options.threshold is not None or options.max_score is not None
    aside = [one.column for one in options.filters]
    long, columns = melted(source, wide, choice, scored=scored, missing=missing, aside=aside)
    return FileMapping(long, columns, _checked(source, options), wide)


def _over(preset: Preset, source: AnswerFile, asked: ParseOptions) -> ParseOptions:
    """The options that were asked for, over those of the preset."""
    return replace(
        asked,
        threshold=preset.threshold if asked.threshold is None else asked.threshold,
        words={**preset.words, **asked.words},
        filters=preset.filters_of(source, asked.filters),
        topic_separator=asked.topic_separator or preset.topic_separator,
        time_format=asked.time_format or preset.time_format,
        response_time_unit=asked.response_time_unit or preset.response_time_unit,
    )


def _wide_over(preset: Preset, asked: WideForm | None) -> WideForm | None:
    if preset.wide is None or asked is None:
        return preset.wide or asked
    return replace(preset.wide, items=asked.items)


def _assigned(source: AnswerFile, choice: Choice) -> Columns:
    try:
        return assign(source, choice)
    except InputError as error:
        like = [one.name for one in built_in_presets().values() if _fits(one, source)]
        if like:
            raise InputError(f"{error}\nIt looks like a file of --preset {' or '.join(like)}") from None
        raise


def _fits(preset: Preset, source: AnswerFile) -> bool:
    """Whether the file has a column for most of what the preset is about."""
    found = [any(set(names) <= set(source.names) for names in its) for its in preset.columns.values()]
    return preset.wide is None and sum(found) >= max(4, len(found) - 2)


def _checked(source: AnswerFile, options: ParseOptions) -> ParseOptions:
    """Raises InputError for a filter on a column that the file does not have."""
    absent = next((one for one in options.filters if one.column not in source.names), None)
    if absent is not None:
        told = f"the file has no column for --filter {absent}; its columns are: {listed(source.names)}"
        raise InputError(told)
    return options
