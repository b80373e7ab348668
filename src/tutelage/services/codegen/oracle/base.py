"""The one interface of everything that judges shaders."""

from __future__ import annotations

from typing import Protocol

from tutelage.services.codegen.oracle.verdict import Verdict


class Oracle(Protocol):
    """Judges the text of a shader; whatever the text is, the answer is a verdict, never a crash."""

    name: str

    def check(self, code: str, *, function: str | None = None) -> Verdict:
        """Tell whether the shader compiles; `function` must be declared where it is named.

        Raises MissingDependency where the compiler or its adapter is absent.
        """
        ...

    def close(self) -> None:
        """Let go of what it holds: devices, processes."""
        ...
