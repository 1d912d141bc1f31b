"""Where a file of SQL statements can be changed, and the changed file: half of a job is SQL, which no tool mutates."""

import re
from collections.abc import Iterator

from .mutants import Place, both_ways

# What is read over: comments, texts, quoted names, parameters and casts.
_PASSED_OVER = r"--[^\n]*|'(?:[^']|'')*'|\"[^\"]*\"|%\(\w+\)s|::\w+"
_SWAPS = both_ways(
    *("<|<=", ">|>=", "=|<>", "+|-", "*|/", "and|or", "is null|is not null", "true|false", "asc|desc"),
    *("min|max", "least|greatest", "nulls first|nulls last", "union|union all"),
)
_SWAPS |= {"left join": "join", "exists": "not exists", "not": "", "distinct": "", "for update": ""}
_WORDS = "|".join(sorted((word for word in _SWAPS if word[0].isalpha()), key=len, reverse=True))
_TOKEN = re.compile(
    rf"(?P<passed>{_PASSED_OVER})"
    rf"|(?P<number>(?<![\w.])\d+(?:\.\d+)?(?![\w.]))"
    rf"|(?P<word>\b(?:{_WORDS})\b)"
    rf"|(?P<sign>(?<![<>=!|&@#?~-])(?:<=|>=|<>|[-+*/<>=])(?![<>=|&@#?~-]))"
)
_NOT_AN_OPERATOR = re.compile(r"count\($|select $|\.$|\($|returning $")  # before a `*` that stands for all columns


def places(path: str, source: str) -> Iterator[Place]:
    """All places of the file that have a change, in the order of its text."""
    for found in _TOKEN.finditer(source):
        if found["passed"] or (found[0] == "*" and _NOT_AN_OPERATOR.search(source[: found.start()])):
            continue
        line = source.count("\n", 0, found.start()) + 1
        column = found.start() - source.rfind("\n", 0, found.start()) - 1
        changes = (f"{found.start()}#{found[0]}#{other}" for other in _others(found))
        yield Place(path, line, column, tuple(changes))


def changed(source: str, change: str) -> str:
    """The file with one change of a place."""
    start, old, new = change.split("#")
    return source[: int(start)] + new + source[int(start) + len(old) :]


def _others(found: "re.Match[str]") -> tuple[str, ...]:
    if not found["number"]:
        return (_SWAPS[found[0]],)
    number = float(found[0]) if "." in found[0] else int(found[0])
    return (str(number + 1), str(number - 1))
