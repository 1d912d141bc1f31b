"""Generalised partial credit model, Muraki (1992): a slope a and step difficulties b_k an item."""

from thetaline.irt.families.adjacent import AdjacentCategories

GPCM = AdjacentCategories("GPCM")
