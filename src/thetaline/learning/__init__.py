"""Learning analytics as a library: indicators, growth, goals, forecasts, churn, segments.

Arrays in, arrays out; no I/O.
"""
