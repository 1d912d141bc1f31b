"""Weeks of learners and of classes, read from what the other stages have stored."""
