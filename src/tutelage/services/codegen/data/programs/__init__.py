"""The kinds of programs, and what draws them."""

from __future__ import annotations

from tutelage.services.codegen.data.programs.growers import GROWERS
from tutelage.services.codegen.data.programs.program import Program

__all__ = ["GROWERS", "Program"]
