"""Rasch (1960): slope 1, difficulties b, and a free spread of theta."""

from thetaline.irt.families.dichotomous import Dichotomous

RASCH = Dichotomous("Rasch", tied=True, unit=True)
