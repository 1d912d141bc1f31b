"""Weekly indicators of learners."""
