"""Names, topics and questions as people and attackers type them; the same thousand each time."""

import random

SCRIPTS = (
    *("가나다라마바사", "abcdefghij", "ÀÉÎõüß", "אבגדה", "ابتثج", "กขคงจ", "日本語漢字"),
    *("😀👩\u200d👧🇰🇷✅", "٠١٢٣", "ﬁſẞ", "\u1100\u1161\u11a8"),
)
ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><b>",
    "</svg></title>",
    "{{ 7*7 }}{% raw %}",
    "{name!r:>10}",
    "#panic() #read(\"page.typ\") $x^2$",
    "*bold* _em_ `raw` <label> @ref \\ // /* */ = = -",
    "]]>&amp;&#0;&lt;",
    "' or 1=1 --",
    "%s %(x)s \\u0041",
)  # fmt: skip
CONTROLS = (
    "\x00\x07\x08\x0b\x1b\x7f\x85\t\n\r\u2028"
    "\u200b\u200d\u202e\u2066\u2069\u061c\ufeff\ufffe\ue000\U000f0000\u00ad\ud83d\U000e0041"
)


def strangers(n: int = 1000, seed: int = 13) -> list[str]:
    """n texts, each different, of 1 to 200 characters and more."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    return [f"{_stranger(rng, k)}{k}" for k in range(n)]


def _stranger(rng: random.Random, k: int) -> str:
    letters = rng.choice(SCRIPTS)
    match k % 6:
        case 0:
            return rng.choice(ATTACKS) + rng.choice(letters)
        case 1:
            return "".join(rng.choices(letters, k=rng.randint(1, 12)))
        case 2:
            return "".join(rng.choices(letters, k=200))
        case 3:
            return "".join(rng.choices(letters + CONTROLS, k=rng.randint(1, 20)))
        case 4:
            return " ".join("".join(rng.choices(rng.choice(SCRIPTS), k=5)) for _ in range(6))
        case _:
            return rng.choice(("'", '"', "\\", "&", "<", "  ", "-", "…")) * rng.randint(1, 30)
