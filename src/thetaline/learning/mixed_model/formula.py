"""The formulas that are understood, as values: the text is parsed by this grammar and never evaluated.

formula  = name "~" term { "+" term }
term     = "1" | name | "(" [ "1" "+" ] ( "1" | name ) "|" name ")"
name     = letter { letter | digit | "_" }
"""

import re
from dataclasses import dataclass, replace
from typing import Self

from thetaline.errors import InputError

CONTRACT_FORMULA = "score ~ week + (week|student) + (1|topic)"
LONGEST = 500
MOST_FIXED = 8
NAME = r"[A-Za-z][A-Za-z0-9_]*"
_TOKEN = re.compile(rf"\s*(?:({NAME}|1)|([~+|()]))")
_RANDOM = re.compile(rf"\((?:1\+)?(1|{NAME})\|({NAME})\)")
_HINT = f"; write it as {CONTRACT_FORMULA!r}"


@dataclass(frozen=True, slots=True)
class RandomTerm:
    """An intercept for each level of `group`, and a slope of `slope`, correlated with it, where that is not None."""

    group: str
    slope: str | None = None

    def __str__(self) -> str:
        """As lme4 writes it."""
        return f"({self.slope or 1}|{self.group})"

    @property
    def names(self) -> tuple[str, ...]:
        """Of its effects."""
        return ("(Intercept)", self.slope) if self.slope else ("(Intercept)",)


@dataclass(frozen=True, slots=True)
class Formula:
    """A response, an intercept, fixed slopes, and one or two random terms with different groups."""

    response: str
    fixed: tuple[str, ...]
    random: tuple[RandomTerm, ...]

    def __str__(self) -> str:
        """In canonical form, from parsed names only."""
        return f"{self.response} ~ {' + '.join([*(self.fixed or ('1',)), *map(str, self.random)])}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Numeric columns beside the response."""
        slopes = [term.slope for term in self.random if term.slope]
        return tuple(dict.fromkeys([*self.fixed, *slopes]))

    @property
    def groups(self) -> tuple[str, ...]:
        """Grouping columns."""
        return tuple(term.group for term in self.random)

    def without_group(self, group: str) -> Self:
        """Without the random term of a group."""
        return replace(self, random=tuple(term for term in self.random if term.group != group))

    def without_slope(self, group: str) -> Self:
        """With an intercept alone for a group."""
        return replace(self, random=tuple(RandomTerm(one.group) if one.group == group else one for one in self.random))


def parse_formula(text: str) -> Formula:
    """Raises InputError with the place of what the grammar does not know."""
    response, tilde, terms = _canonical(text).partition("~")
    if not tilde or not re.fullmatch(NAME, response):
        raise InputError(f"formula {text!r} does not begin with one response and '~'{_HINT}")
    fixed: list[str] = []
    random: list[RandomTerm] = []
    for term in _split(terms):
        if found := _RANDOM.fullmatch(term):
            random.append(RandomTerm(found[2], None if found[1] == "1" else found[1]))
        elif term == "1" or re.fullmatch(NAME, term):
            fixed.extend([] if term == "1" else [term])
        else:
            raise InputError(f"formula {text!r}: {term!r} is no term that is known{_HINT}")
    return _checked(Formula(response, tuple(fixed), tuple(random)), text)


def _canonical(text: str) -> str:
    """Without blanks. Raises InputError for a character that belongs to no token."""
    if len(text) > LONGEST:
        raise InputError(f"a formula has at most {LONGEST} characters; this one has {len(text)}")
    place, tokens = 0, []
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if not found:
            raise InputError(f"formula {text!r}: {text[place:].lstrip()[:1]!r} at position {place} is unknown{_HINT}")
        tokens.append(found[1] or found[2])
        place = found.end()
    return "".join(tokens)


def _split(terms: str) -> list[str]:
    """At each + outside parentheses."""
    return re.split(r"\+(?![^(]*\))", terms)


def _checked(formula: Formula, text: str) -> Formula:
    names = [formula.response, *formula.fixed, *formula.groups]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise InputError(f"formula {text!r} has {twice[0]!r} in two places; each column has one")
    if len(formula.random) > 2 or len(formula.fixed) > MOST_FIXED:
        raise InputError(f"formula {text!r} has more than two random or {MOST_FIXED} fixed terms")
    if not formula.random:
        raise InputError(f"formula {text!r} has no random term; add one, as (1|student)")
    wrong = [term.slope for term in formula.random if term.slope and term.slope not in formula.fixed]
    if wrong:
        raise InputError(
            f"formula {text!r}: the slope of {wrong[0]!r} varies, but has no mean; add {wrong[0]} as a term"
        )
    return formula
