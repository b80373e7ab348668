"""Whether a program compiles, where the compiler is installed."""

from __future__ import annotations

from collections.abc import Callable

from tutelage.core.errors import MissingDependency
from tutelage.services.codegen.oracle import TintOracle

Compiles = Callable[[str], bool]
"""Tells whether a shader compiles."""


def tint_if_installed() -> Compiles | None:
    """Return Tint's judgement, or None where Tint is not installed."""
    try:
        tint = TintOracle()
    except MissingDependency:
        return None
    return lambda code: tint.check(code).ok
