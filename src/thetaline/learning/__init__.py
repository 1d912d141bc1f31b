"""Learning analytics as a library: KPI formulas, topic abilities, windows of days.

Arrays in, arrays out; no I/O.
"""
