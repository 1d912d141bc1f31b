"""Time and memory against yardsticks of the same run, and rates by simulation: `python -m benchmarks [name ..]`."""
