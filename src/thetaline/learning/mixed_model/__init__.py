"""Mixed models of scores over weeks, as lme4 writes them, by the `glmm` library (extra `growth`)."""

from thetaline.learning.mixed_model.data import Family, calendar_weeks, confounding_note
from thetaline.learning.mixed_model.fit import fit_mixed
from thetaline.learning.mixed_model.formula import CONTRACT_FORMULA, Formula, RandomTerm, parse_formula
from thetaline.learning.mixed_model.result import Coefficient, FallBack, GroupEffects, MixedFit

__all__ = [
    "CONTRACT_FORMULA",
    "Coefficient",
    "FallBack",
    "Family",
    "Formula",
    "GroupEffects",
    "MixedFit",
    "RandomTerm",
    "calendar_weeks",
    "confounding_note",
    "fit_mixed",
    "parse_formula",
]
