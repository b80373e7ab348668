"""Tutelage: the training platform that people and AI agents run together."""

from tutelage.attach import current_run

__version__ = "0.1.0"

__all__ = ["__version__", "current_run"]
