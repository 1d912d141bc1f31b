"""Growth of learners once a week: the mixed model of weekly θ, the lines from answers, the probability of goals."""
