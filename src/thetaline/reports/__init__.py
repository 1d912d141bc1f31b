"""A learner's week as one frozen value, and its rendering."""
