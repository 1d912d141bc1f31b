"""Three-parameter logistic, Birnbaum (1968): a, b and a lower asymptote c."""

from thetaline.irt.families.dichotomous import Dichotomous

THREE_PL = Dichotomous("3PL", has_c=True)
