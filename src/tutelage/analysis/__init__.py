"""Judgement: pure functions over curves. Same points, same verdict."""

from tutelage.analysis.assess import assess, assessment
from tutelage.analysis.declared import Declared, Role
from tutelage.analysis.judge import Judge, Scope, Standing
from tutelage.analysis.rules import CHECKS_VERSION, Rules
from tutelage.analysis.wording import spoken

__all__ = [
    "CHECKS_VERSION",
    "Declared",
    "Judge",
    "Role",
    "Rules",
    "Scope",
    "Standing",
    "assess",
    "assessment",
    "spoken",
]
