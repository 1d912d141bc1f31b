"""Two-parameter logistic, Birnbaum (1968): a and b an item."""

from thetaline.irt.families.dichotomous import Dichotomous

TWO_PL = Dichotomous("2PL")
