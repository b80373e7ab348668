"""The optional files of a result, each asked of the fit child: none of them can lose the model, or the deadline."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tutelage.core.errors import TutelageError
from tutelage.core.ports import Run
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.fits import FitChild

KEPT = "tutelage.services.tabular.fitting.kept_model"
DRAW = "tutelage.services.tabular.report.plots.drawing:draw"
DRAW_S = 30.0
"""A plot takes a tenth of a second, the first one a second more for its library; over this it is given up."""

RESTART_S = 5.0
"""What a child takes to start again and to load the rows, after one was killed."""


@dataclass(kw_only=True)
class Extras:
    """Asks the child for one thing after the other, while there is time; what is left out has its reason.

    `deadline_s` is on `time.monotonic()`'s clock; None: there is none.
    """

    run: Run
    child: FitChild
    deadline_s: float | None = None
    names: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def left_s(self) -> float:
        """Seconds until the deadline."""
        return float("inf") if self.deadline_s is None else self.deadline_s - time.monotonic()

    def ask(self, function: str, arguments: Mapping[str, Any], *, what: str, needs_s: float, timeout_s: float) -> Any:
        """Return the answer of a function in the child; None where it was skipped or lost, which is recorded."""
        needs_s += 0.0 if self.child.pid else RESTART_S
        if self.left_s < needs_s:
            return self.skip(what, f"{max(self.left_s, 0.0):.1f} s were left, and it may take {needs_s:g} s")
        request = messages.Apply(function=function, arguments=arguments)
        try:
            answer = self.child.ask(request, timeout_s=min(timeout_s, self.left_s))
        except TutelageError as error:
            return self.skip(what, error.message)
        if isinstance(answer, messages.Lost):
            return self.skip(what, f"{answer.reason}: {answer.detail}")
        return answer

    def skip(self, what: str, reason: str) -> None:
        """Record why something is left out."""
        self.skipped[what] = reason
        self.run.log(f"{what} is left out: {reason}", level="warning")

    def draw(self, file: str, function: str, data: Mapping[str, Any]) -> None:
        """Write one plot."""
        arguments = {"function": function, "path": self.unnamed(file), "data": data}
        if self.ask(DRAW, arguments, what=file, needs_s=1.0, timeout_s=DRAW_S) is None:
            self.drop(file)
        else:
            self.keep(file)

    def keep(self, file: str) -> None:
        """Give a file that the child has written whole its name, and list it."""
        self.unnamed(file).replace(self.run.artifact(file))
        self.names.append(file)

    def drop(self, file: str) -> None:
        """Take away what the child may have left of a file."""
        self.unnamed(file).unlink(missing_ok=True)

    def unnamed(self, file: str) -> Path:
        """Return where the child writes a file until it is whole."""
        path = self.run.artifact(file)
        return path.with_name(f"{path.stem}.part{path.suffix}")
