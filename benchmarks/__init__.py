"""Measurements of what the design promises: one module per claim, run by `python -m benchmarks`."""
