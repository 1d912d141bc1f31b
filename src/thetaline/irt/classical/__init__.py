"""Classical item analysis: difficulty, item–rest correlation, alpha and omega, options, items that need a look."""

from thetaline.irt.classical.flags import ItemFlag
from thetaline.irt.classical.item_analysis import ItemAnalysis, item_analysis
from thetaline.irt.classical.options import OptionTable
from thetaline.irt.classical.reliability import Reliability
from thetaline.irt.classical.score_key import score_key

__all__ = ["ItemAnalysis", "ItemFlag", "OptionTable", "Reliability", "item_analysis", "score_key"]
