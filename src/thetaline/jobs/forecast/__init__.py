"""Forecasts of weekly series once a week: θ, I_t, accuracy and activity of learners, classrooms and everybody."""
