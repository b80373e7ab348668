"""Attaches a user's own script to the operation that started it. Standard library only."""

from tutelage.attach.current import ADDRESS, current_run

__all__ = ["ADDRESS", "current_run"]
