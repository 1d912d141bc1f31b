"""Daily features of each learner and topic."""
