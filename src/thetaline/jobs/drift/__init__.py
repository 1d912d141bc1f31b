"""Drift: which published items no longer have the parameters that they were published with."""
