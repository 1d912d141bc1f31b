"""How the exports of known platforms are read: a mapping each, declared in a TOML file of this folder."""

from thetaline.jobs.importing.presets.preset import Preset, built_in_presets, find_preset

__all__ = ["Preset", "built_in_presets", "find_preset"]
