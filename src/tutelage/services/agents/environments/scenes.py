"""What a scene of a trajectory may hold: plain shapes in the task's coordinates, drawn alike on the page and as GIF."""

from __future__ import annotations

from typing import Any

Shape = dict[str, Any]
KINDS = ("circle", "line", "box", "text")


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


def _short(value: float) -> float:
    return round(float(value), 4)
