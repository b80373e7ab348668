"""Fits in a killable child: its messages, splits, scores and thresholds."""
