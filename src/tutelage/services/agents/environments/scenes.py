"""What a scene of a trajectory may hold: plain shapes in the task's coordinates, drawn alike on the page and as GIF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Shape = dict[str, Any]
NUMBERS = {"circle": ("x", "y", "r"), "line": ("x", "y", "x2", "y2"), "box": ("x", "y", "w", "h"), "text": ("x", "y")}
"""The kinds of shapes, and the numbers that each is drawn by."""
COLORS = ("blue", "green", "amber", "red", "violet", "grey")


def scene(*shapes: Shape, bounds: tuple[float, float, float, float]) -> dict[str, Any]:
    """Return a scene; `bounds` is left, bottom, right, top; y grows upwards."""
    return {"bounds": [round(float(bound), 4) for bound in bounds], "shapes": list(shapes)}


def circle(x: float, y: float, radius: float, *, color: str = "blue", label: str = "") -> Shape:
    """Return a disc. Colours everywhere: blue, green, amber, red, violet, grey (the page has its own of each)."""
    return {"kind": "circle", "x": _short(x), "y": _short(y), "r": _short(radius), "color": color, "label": label}


def line(x: float, y: float, to_x: float, to_y: float, *, color: str = "grey") -> Shape:
    """Return a line from one point to another."""
    return {"kind": "line", "x": _short(x), "y": _short(y), "x2": _short(to_x), "y2": _short(to_y), "color": color}


def box(x: float, y: float, width: float, height: float, *, color: str = "grey", label: str = "") -> Shape:
    """Return a filled rectangle by its lower left corner."""
    corner = {"x": _short(x), "y": _short(y)}
    return {"kind": "box", **corner, "w": _short(width), "h": _short(height), "color": color, "label": label}


def text(x: float, y: float, words: str, *, color: str = "grey") -> Shape:
    """Return words at a point."""
    return {"kind": "text", "x": _short(x), "y": _short(y), "text": words, "color": color}


def completed(given: object) -> Shape:
    """Return a shape of a user's with what it left out: grey, without a label.

    Raises TypeError, with what is allowed, for one that nobody can draw.
    """
    kind = given.get("kind") if isinstance(given, Mapping) else None
    if not isinstance(given, Mapping) or kind not in NUMBERS:
        raise TypeError(f"scene() has the shape {given!r}; kinds are {', '.join(NUMBERS)}")
    if odd := [name for name in NUMBERS[kind] if not isinstance(given.get(name), int | float | np.number)]:
        raise TypeError(f"scene() has a {kind} whose {odd[0]!r} is {given.get(odd[0])!r}, not a number")
    color = given.get("color", "grey")
    if color not in COLORS:
        raise TypeError(f"scene() has a {kind} of colour {color!r}; colours are {', '.join(COLORS)}")
    words = {"text": str(given.get("text", ""))} if kind == "text" else {}
    label = {"label": str(given.get("label", ""))} if kind in ("circle", "box") else {}
    numbers = {name: _short(given[name]) for name in NUMBERS[kind]}
    return {"kind": kind, **numbers, "color": color, **label, **words}


def _short(value: float) -> float:
    return round(float(value), 4)
