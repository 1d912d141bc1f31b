"""Families of item response functions, one file each, and the registry by which a model's name is parsed once."""

from collections.abc import Iterable

from thetaline.errors import ItemsError
from thetaline.irt.families.adjacent import GPCM, PCM
from thetaline.irt.families.base import AnswerDerivatives, Curve, Family, Published
from thetaline.irt.families.dichotomous import FOUR_PL, ONE_PL, RASCH, THREE_PL, TWO_PL
from thetaline.irt.families.graded import GRM

ALL: tuple[Family, ...] = (RASCH, ONE_PL, TWO_PL, THREE_PL, FOUR_PL, GRM, PCM, GPCM)
FAMILIES: dict[str, Family] = {family.name: family for family in ALL}

__all__ = ["FAMILIES", "AnswerDerivatives", "Curve", "Family", "Published", "model_name", "model_names", "same_curve"]


def model_name(name: object) -> str:
    """Return a model's name as it is registered, in whatever case it is written; raises ItemsError for others."""
    if isinstance(name, str):
        if name in FAMILIES:
            return str(name)
        for known in FAMILIES:
            if known.casefold() == name.strip().casefold():
                return known
    raise ItemsError(f"unknown model {name!r}; choose one of {', '.join(FAMILIES)}")


def model_names(names: Iterable[object]) -> list[str]:
    """Parse many, each distinct name once."""
    written = list(names)
    parsed = {name: model_name(name) for name in dict.fromkeys(written)}
    return [parsed[name] for name in written]


def same_curve(first: str, second: str, n_categories: int) -> bool:
    """Say whether two families give the same probabilities at the same published parameters, asymptotes apart."""
    one, other = FAMILIES[first], FAMILIES[second]
    return type(one) is type(other) or (n_categories == 2 and one.logistic and other.logistic)
