"""Adaptive testing: which item next, under which limits, when to stop, and whole tests simulated."""

from thetaline.irt.adaptive.content import ContentLimits as ContentLimits
from thetaline.irt.adaptive.exposure import Randomesque as Randomesque, SympsonHetter as SympsonHetter
from thetaline.irt.adaptive.next_item import NextItem as NextItem, next_item as next_item
from thetaline.irt.adaptive.simulate import AdaptiveTests as AdaptiveTests, simulate_adaptive as simulate_adaptive
from thetaline.irt.adaptive.stopping import StopRule as StopRule
from thetaline.irt.adaptive.sympson_hetter import calibrate_exposure as calibrate_exposure
