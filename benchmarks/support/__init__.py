"""What the benchmarks share: timing, homes with a supervisor, the peers."""
