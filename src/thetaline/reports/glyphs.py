"""Which characters the embedded fonts can draw; all others become visible codes, for a PDF shows none silently."""

import struct
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from thetaline.reports.visible import code_of, without_isolates

FONT = "Pretendard"
FOLDER = Path(__file__).with_name("fonts")
_SEGMENTED = 12  # the cmap format with 32-bit groups, which holds all that a font covers


@dataclass(frozen=True, slots=True)
class Drawable:
    """Text that the fonts can draw, and the characters that became codes, each once, sorted."""

    text: str
    replaced: tuple[str, ...]


def drawable(text: str) -> Drawable:
    """The text with a code such as [U+1F600] for each character that a font lacks; isolates are dropped."""
    plain = without_isolates(text)
    lacking = sorted(set(plain) - covered())
    return Drawable(plain.translate({ord(letter): code_of(letter) for letter in lacking}), tuple(lacking))


@cache
def covered() -> frozenset[str]:
    """The characters that every embedded font has a glyph for, but those that PDF/A and PDF/UA refuse."""
    first, *others = (_characters(font.read_bytes()) for font in sorted(FOLDER.glob("*.otf")))
    return frozenset(filter(_is_allowed, first.intersection(*others)))


def _is_allowed(letter: str) -> bool:
    return letter != "\ufeff" and unicodedata.category(letter) not in {"Co", "Cn", "Cs"}


def _characters(font: bytes) -> set[str]:
    """The character map of an OpenType font: groups (first, last, glyph) of its format 12 table."""
    cmap = _table(font, b"cmap")
    (n,) = struct.unpack_from(">H", cmap, 2)
    offsets = {offset for _, _, offset in struct.iter_unpack(">HHI", cmap[4 : 4 + 8 * n])}
    at = next(offset for offset in sorted(offsets) if struct.unpack_from(">H", cmap, offset) == (_SEGMENTED,))
    (groups,) = struct.unpack_from(">I", cmap, at + 12)
    ranges = struct.iter_unpack(">III", cmap[at + 16 : at + 16 + 12 * groups])
    return {chr(code) for first, last, _ in ranges for code in range(first, last + 1)}


def _table(font: bytes, tag: bytes) -> bytes:
    (n,) = struct.unpack_from(">H", font, 4)
    for name, _, offset, length in struct.iter_unpack(">4sIII", font[12 : 12 + 16 * n]):
        if name == tag:
            return font[offset : offset + length]
    raise LookupError(f"the font has no table {tag!r}")
