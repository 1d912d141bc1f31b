"""Partial credit model, Masters (1982): slope 1, step difficulties b_k, and a free spread of theta."""

from thetaline.irt.families.adjacent import AdjacentCategories

PCM = AdjacentCategories("PCM", tied=True, unit=True)
