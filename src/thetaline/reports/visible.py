"""Names, topics and questions that other people typed, made fit to be shown: all of it to be seen, none to act."""

import unicodedata

_FORMATTING = frozenset("\u00ad\ufeff\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSEEN = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})
_RIGHT_TO_LEFT = frozenset({"R", "AL"})
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"


def visible(text: str) -> str:
    """The text composed (NFC), control characters as codes such as [U+0007], isolated where it runs right to left."""
    composed = unicodedata.normalize("NFC", text)
    shown = "".join(code_of(letter) if _acts(letter) else letter for letter in composed)
    if any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in shown):
        return f"{_FIRST_STRONG_ISOLATE}{shown}{_POP_ISOLATE}"
    return shown


def one_line(text: str) -> str:
    """The text of a question: its line ends and tabs are spaces, the rest as `visible`."""
    return visible(" ".join(text.split()))


def code_of(letter: str) -> str:
    """The code that stands for a character that cannot be shown."""
    return f"[U+{ord(letter):04X}]"


def without_isolates(text: str) -> str:
    """The text for a page whose font knows no right-to-left letters."""
    return text.replace(_FIRST_STRONG_ISOLATE, "").replace(_POP_ISOLATE, "")


def _acts(letter: str) -> bool:
    return letter in _FORMATTING or unicodedata.category(letter) in _UNSEEN
