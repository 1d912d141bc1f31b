"""The sections of a learner's page, in the order in which a learner needs them; one that says nothing is None."""
