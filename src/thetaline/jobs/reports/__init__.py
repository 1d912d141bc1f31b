"""The weekly reports: read as values from what the other stages have stored, rendered in processes, given out."""
