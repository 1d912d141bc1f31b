"""Korean particles by how the word before them ends when it is read aloud."""

import re
from enum import Enum

PAIRS = {
    "은/는": ("은", "는", "은(는)"),
    "이/가": ("이", "가", "이(가)"),
    "을/를": ("을", "를", "을(를)"),
    "과/와": ("과", "와", "과(와)"),
    "으로/로": ("으로", "로", "(으)로"),
    "이에요/예요": ("이에요", "예요", "이에요"),
}
_HANGUL_FIRST, _HANGUL_LAST, _FINALS, _RIEUL = 0xAC00, 0xD7A3, 28, 8
_TRAILING = re.compile(r"[\s)\]}'\"’”»⟩」』】.,!?;:…\u2068\u2069]+$")
_SILENT_E = re.compile(r"[aeiouy]([nml]+)e$")
_LETTER_NAMES = {"l": "RIEUL", "r": "RIEUL", "m": "CLOSED", "n": "CLOSED"}  # el, al, em, en; the others end open


class Ending(Enum):
    """How a word ends: rieul is closed, but takes 로 like an open syllable."""

    OPEN = "open"
    CLOSED = "closed"
    RIEUL = "rieul"
    UNSURE = "unsure"


def with_particle(word: str, pair: str) -> str:
    """The word with the form of `pair` (a key of `PAIRS`) that its ending asks for, both forms where that is unsure."""
    closed, open_, both = PAIRS[pair]
    match ending_of(word):
        case Ending.UNSURE:
            return word + both
        case Ending.OPEN:
            return word + open_
        case Ending.RIEUL if pair == "으로/로":
            return word + open_
        case _:
            return word + closed


def ending_of(word: str) -> Ending:
    """Hangul by its final consonant, digits as they are read in Sino-Korean, Latin letters by what is usual."""
    spoken = _TRAILING.sub("", word)
    if not spoken:
        return Ending.UNSURE
    last = spoken[-1]
    if _HANGUL_FIRST <= ord(last) <= _HANGUL_LAST:
        final = (ord(last) - _HANGUL_FIRST) % _FINALS
        return Ending.OPEN if final == 0 else Ending.RIEUL if final == _RIEUL else Ending.CLOSED
    if last in "0123456789":
        return _of_digit(last)
    if last == "%":  # 퍼센트
        return Ending.OPEN
    return _of_latin(re.split(r"[^A-Za-z]", spoken)[-1])


def _of_digit(digit: str) -> Ending:
    if digit in "178":  # 일, 칠, 팔
        return Ending.RIEUL
    return Ending.CLOSED if digit in "036" else Ending.OPEN  # 영 (십, 백, 천), 삼, 육


def _of_latin(word: str) -> Ending:
    """Letters one by one where the word is an abbreviation; words ending in b, c, k, p, t are read in two ways."""
    if not word:
        return Ending.UNSURE
    if len(word) == 1 or word.isupper():
        return Ending[_LETTER_NAMES.get(word[-1].lower(), "OPEN")]
    lower = word.lower()
    if silent := _SILENT_E.search(lower):
        return _of_consonant(silent[1][-1])
    return _of_consonant("n" if lower.endswith("ng") else lower[-1])


def _of_consonant(letter: str) -> Ending:
    if letter == "l":
        return Ending.RIEUL
    if letter in "mn":
        return Ending.CLOSED
    return Ending.UNSURE if letter in "bckpt" else Ending.OPEN
