"""Four-parameter logistic, Barton & Lord (1981): a, b and both asymptotes c < d."""

from thetaline.irt.families.dichotomous import Dichotomous

FOUR_PL = Dichotomous("4PL", has_c=True, has_d=True)
