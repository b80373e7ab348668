"""Measured figures by name: how they are read, and which way is better."""

from __future__ import annotations

import math
import re
from typing import Literal

from tutelage.core.errors import InvalidSpec

Direction = Literal["higher", "lower"]

UNITS = ("ms", "us", "ns", "s", "mib", "kib", "gib", "pct")
_TEXT = re.compile(r"\s*([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*(%|[A-Za-zµ]+)?\s*\Z")
_SPELLINGS = {"%": "pct", "µs": "us"}
_LOWER = ("_ms", "_us", "_ns", "_s", "_mib", "_kib", "_gib", "_loss", "_error", "_ce")
_HIGHER = ("exact_match", "_at_1", "_equal", "_per_s", "_speedup", "_share")


def read_figure(name: str, value: float | str) -> tuple[str, float]:
    """Return a figure's full name and number: `("attention", "12.4ms")` is `("attention_ms", 12.4)`.

    Raises InvalidSpec for what is no finite number, or has a unit that is none or not the name's.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InvalidSpec(f"the figure {name!r} is no number: {value!r}", hint='as in 12.4, or "12.4ms"')
    if not isinstance(value, str):
        return name, _finite(name, float(value))
    found = _TEXT.match(value)
    unit = found[2] and _SPELLINGS.get(found[2], found[2].lower()) if found else None
    if found is None or (unit and unit not in UNITS):
        raise InvalidSpec(
            f"the figure {name!r} is no number with a unit: {value!r}",
            hint=f'as in "12.4ms"; units: {", ".join(UNITS)}',
        )
    own = next((each for each in UNITS if name.endswith(f"_{each}")), None)
    if own and unit and own != unit:
        raise InvalidSpec(f"the figure {name!r} is given in {unit}: {value!r}", hint=f"give it in {own}")
    return (f"{name}_{unit}" if unit and not own else name), _finite(name, float(found[1]))


def direction_of(name: str) -> Direction | None:
    """Return which way a figure is better, by its name; None where it is information."""
    if name.endswith(_HIGHER):
        return "higher"
    return "lower" if name.endswith(_LOWER) else None


def is_quality(name: str) -> bool:
    """Tell whether a figure is one that no later phase may lower: counted on the same prompts, not timed."""
    return name.endswith(("exact_match", "_at_1", "_equal"))


def worsened(name: str, before: float, after: float) -> float:
    """Return by how much a figure is worse than before, relative; 0 where it is not, or has no direction."""
    direction = direction_of(name)
    if direction is None:
        return 0.0
    loss = before - after if direction == "higher" else after - before
    return max(0.0, loss / max(abs(before), 1e-12))


def _finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise InvalidSpec(f"the figure {name!r} is {value}", hint="a figure is a finite number that was measured")
    return value
