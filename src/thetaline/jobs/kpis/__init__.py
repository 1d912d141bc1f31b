"""Weekly KPIs of learners."""
