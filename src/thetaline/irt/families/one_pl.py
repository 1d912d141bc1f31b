"""One-parameter logistic: one common slope a, difficulties b, theta ~ N(0, 1)."""

from thetaline.irt.families.dichotomous import Dichotomous

ONE_PL = Dichotomous("1PL", tied=True)
