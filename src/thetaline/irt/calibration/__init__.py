"""Marginal maximum likelihood by an accelerated EM, in blocks of persons."""
