"""Colours by what they stand for; one accent over neutrals, told apart by lightness as well as by hue."""

from collections.abc import Mapping
from types import MappingProxyType

Palette = Mapping[str, str]

LIGHT: Palette = MappingProxyType({
    "paper": "#ffffff",
    "ink": "#1b2330",
    "muted": "#566070",
    "hairline": "#dde2e9",
    "accent": "#1d4fb8",
    "tint": "#d3e0f8",
    "wash": "#e9f0fc",
})  # fmt: skip
DARK: Palette = MappingProxyType({
    "paper": "#11151b",
    "ink": "#e9edf2",
    "muted": "#a5afbc",
    "hairline": "#2c3440",
    "accent": "#8fb4ff",
    "tint": "#27406f",
    "wash": "#1a2943",
})  # fmt: skip
FORCED: Palette = MappingProxyType({
    "paper": "Canvas",
    "ink": "CanvasText",
    "muted": "CanvasText",
    "hairline": "GrayText",
    "accent": "LinkText",
    "tint": "Canvas",
    "wash": "Canvas",
})  # fmt: skip


def variables(palette: Palette) -> str:
    """The palette as declarations of CSS variables."""
    return "".join(f"--{name}:{colour};" for name, colour in palette.items())
