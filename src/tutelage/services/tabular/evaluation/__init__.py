"""The evaluation of the kept model on the test: intervals, thresholds, slices, mistakes, costs, advice."""
