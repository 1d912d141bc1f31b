"""Drift: tests whether published items still have the parameters that they were published with."""
