"""Judgement: pure functions over curves. Same points, same verdict."""

from tutelage.analysis.assess import CHECKS_VERSION, Declared, View, assess, spoken

__all__ = ["CHECKS_VERSION", "Declared", "View", "assess", "spoken"]
