"""Segments of learners once a week: features from answers and growth, groups, their names, what became of the last."""
