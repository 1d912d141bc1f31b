"""Abilities of a day: the answers of a window, the published items, general and topic θ."""
