"""Tutelage: the training platform that people and AI agents run together."""

from tutelage.attach import current_run
from tutelage.core.lazy import public_attribute as __getattr__  # noqa: F401 - the hook of PEP 562

__version__ = "0.1.0"

__all__ = ["__version__", "assess", "current_run"]
