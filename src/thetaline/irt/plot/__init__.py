"""Plots of items, persons, links and fit, each a matplotlib figure that a notebook shows and a file holds.

matplotlib is imported when the first plot is drawn, not with the library.
"""

from thetaline.irt.plot.fit import item_fit as item_fit, residuals as residuals
from thetaline.irt.plot.icc import icc as icc
from thetaline.irt.plot.linking import linking as linking
from thetaline.irt.plot.tif import tif as tif
from thetaline.irt.plot.wright import wright_map as wright_map
