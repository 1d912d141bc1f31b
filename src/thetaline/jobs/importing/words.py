"""The words by which files say right, wrong and missing; data, not code."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import chain

from thetaline.errors import InputError


class Verdict(StrEnum):
    """What a word can mean."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"

    @property
    def value_of(self) -> bool | None:
        """The answer that it stands for."""
        return {"right": True, "wrong": False, "missing": None}[self.value]


# By language, as str.casefold leaves them. A hint asked for in place of an answer counts as wrong, as in DataShop.
_RIGHT = {
    "code": ("1", "1.0", "1,0", "t", "y", "v"),
    "en": ("true", "yes", "correct", "right"),
    "fr": ("vrai", "juste", "oui"),
    "de": ("richtig", "wahr", "ja"),
    "es": ("verdadero", "correcto", "sí"),
    "pt": ("verdadeiro", "certo", "sim"),
    "it": ("vero", "corretto", "giusto"),
    "nl": ("waar", "goed", "juist"),
    "ru": ("верно", "правильно", "да"),
    "ko": ("맞음", "정답", "참"),
    "ja": ("正解", "正しい"),
    "zh": ("正确", "对"),
}
_WRONG = {
    "code": ("0", "0.0", "0,0", "f", "n"),
    "en": ("false", "no", "incorrect", "wrong", "hint"),
    "fr": ("faux", "non"),
    "de": ("falsch", "nein"),
    "es": ("falso", "incorrecto"),
    "pt": ("errado", "não"),
    "it": ("sbagliato",),
    "nl": ("fout", "onjuist", "nee"),
    "ru": ("неверно", "неправильно", "нет"),
    "ko": ("틀림", "오답", "거짓"),
    "ja": ("不正解", "間違い"),
    "zh": ("错误", "错"),
}
RIGHT = frozenset(chain.from_iterable(_RIGHT.values()))
WRONG = frozenset(chain.from_iterable(_WRONG.values()))
# What other columns than the answer may say in place of nothing; an answer is missing by --missing only.
NOTHING = frozenset({"", ".", "-", "na", "n/a", "nan", "nat", "none", "null", "\\n"})

_MEANINGS = {
    **dict.fromkeys(("right", "correct", "1", "true"), Verdict.RIGHT),
    **dict.fromkeys(("wrong", "incorrect", "0", "false"), Verdict.WRONG),
    **dict.fromkeys(("missing", "unanswered", ""), Verdict.MISSING),
}


def word_meaning(text: str) -> tuple[str, Verdict]:
    """`WORD=right|wrong|missing` of --map.  Raises InputError."""
    word, equals, meaning = text.rpartition("=")
    if not equals or meaning.strip().casefold() not in _MEANINGS:
        raise InputError(f"--map {text!r} must be WORD=right, WORD=wrong or WORD=missing")
    return word.strip().casefold(), _MEANINGS[meaning.strip().casefold()]


def verdict(text: str, words: Mapping[str, Verdict]) -> Verdict | None:
    """What an answer's text means: by `words`, else by the usual ones; None when nobody can say."""
    word = text.strip().casefold()
    if word in words:
        return words[word]
    if word in RIGHT:
        return Verdict.RIGHT
    return Verdict.WRONG if word in WRONG else None


def is_nothing(text: str) -> bool:
    """Whether a value other than an answer stands for none."""
    return text.strip().casefold() in NOTHING
