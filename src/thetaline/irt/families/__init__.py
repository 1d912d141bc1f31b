"""Families of item response functions, one file each, and the registry by which a model's name is parsed once."""

from collections.abc import Iterable

from thetaline.errors import ItemsError
from thetaline.irt.families.base import Family, Published
from thetaline.irt.families.four_pl import FOUR_PL
from thetaline.irt.families.gpcm import GPCM
from thetaline.irt.families.graded import GRM
from thetaline.irt.families.one_pl import ONE_PL
from thetaline.irt.families.pcm import PCM
from thetaline.irt.families.rasch import RASCH
from thetaline.irt.families.three_pl import THREE_PL
from thetaline.irt.families.two_pl import TWO_PL

ALL: tuple[Family, ...] = (RASCH, ONE_PL, TWO_PL, THREE_PL, FOUR_PL, GRM, PCM, GPCM)
FAMILIES: dict[str, Family] = {family.name: family for family in ALL}

__all__ = ["FAMILIES", "Family", "Published", "known_models"]


def known_models(names: Iterable[object]) -> None:
    """Raise ItemsError for the first name that is not a family."""
    for name in names:
        if name not in FAMILIES:
            raise ItemsError(f"unknown model {name!r}; choose one of {', '.join(FAMILIES)}")
