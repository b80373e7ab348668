"""Tutelage: the training platform that people and AI agents run together."""

__version__ = "0.1.0"

__all__ = ["__version__"]
