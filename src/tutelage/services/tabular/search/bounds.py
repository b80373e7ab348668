"""The ranges of a search as they were tuned while it ran: each holds from a trial on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.core.errors import InvalidSpec
from tutelage.services.tabular.config import Range
from tutelage.services.tabular.models.algorithms import Algorithm, with_space

PREFIX = "space."
ENDS = ("low", "high")
SAMPLERS = ("tpe", "random")
"""Samplers that look at each parameter alone: its range may change. The others fix a sequence or a joint space."""


def is_bound(name: str) -> bool:
    """Tell whether a tuned setting is a bound of the space, `space.PARAMETER.low|high`."""
    return name.startswith(PREFIX)


class Bounds:
    """The entry that holds for each trial. `taken` is the list that the state keeps."""

    def __init__(self, entry: Algorithm, taken: list[list[Any]]) -> None:
        self._entry, self._taken = entry, taken

    def entry_for(self, number: int) -> Algorithm:
        """Return the entry in the ranges that hold for a trial. Raises InvalidSpec where they do not fit the entry."""
        entry = self._entry
        for first, values in self._taken:
            if first <= number:
                entry = _narrowed(entry, values)
        return entry

    def take(self, values: Mapping[str, Any], *, first: int, sampler: str) -> str | None:
        """Let new bounds hold from the trial `first` on; return why they cannot, or None."""
        if sampler not in SAMPLERS:
            allowed = ", ".join(SAMPLERS)
            return f"the sampler {sampler} fixes its space when it begins; bounds are tunable with {allowed}"
        try:
            _narrowed(self.entry_for(first), values)
        except InvalidSpec as error:
            return f"{error.message}; {error.hint}"
        self._taken.append([first, dict(values)])
        return None


def _narrowed(entry: Algorithm, values: Mapping[str, Any]) -> Algorithm:
    asked: dict[str, dict[str, float]] = {}
    for key, value in values.items():
        name, _, end = key.removeprefix(PREFIX).rpartition(".")
        if end not in ENDS or not name:
            raise InvalidSpec(f"{key} is no bound", hint=f"{PREFIX}PARAMETER.low or {PREFIX}PARAMETER.high")
        asked.setdefault(name, {})[end] = value
    return with_space(entry, {name: Range.model_validate(ends) for name, ends in asked.items()})
