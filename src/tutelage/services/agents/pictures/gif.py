"""A trajectory as a GIF: the scenes' shapes, drawn by Pillow, with what is said over its speaker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from tutelage.services.agents.pictures.trajectory import Trajectory

SIZE = 320
MARGIN = 24
FRAME_MS = 120
MAX_GIF_FRAMES = 200
PAPER, INK = "#FFFFFF", "#1A1C20"
COLORS = {
    "blue": "#28588A",
    "green": "#1C6A3B",
    "amber": "#C27803",
    "red": "#AE2318",
    "violet": "#6638A6",
    "grey": "#878B92",
}

Place = Callable[[float, float], tuple[float, float]]


def save_gif(trajectory: Trajectory, path: Path) -> None:
    """Write the first frames of a trajectory as an endless GIF. There must be at least one frame."""
    assert trajectory.frames, "a picture needs a frame"
    pictures = [draw(frame) for frame in trajectory.frames[:MAX_GIF_FRAMES]]
    first, *rest = pictures
    first.save(path, format="GIF", save_all=True, append_images=rest, duration=FRAME_MS, loop=0)


def draw(frame: dict[str, Any]) -> Image.Image:
    """Return the picture of one frame."""
    left, bottom, right, top = frame["scene"]["bounds"]
    scale = (SIZE - 2 * MARGIN) / max(right - left, top - bottom, 1e-9)

    def place(x: float, y: float) -> tuple[float, float]:
        return MARGIN + (x - left) * scale, MARGIN + (top - y) * scale

    picture = Image.new("RGB", (SIZE, SIZE), PAPER)
    pen = ImageDraw.Draw(picture)
    for shape in frame["scene"]["shapes"]:
        SHAPES[shape["kind"]](pen, shape, place, scale)
    for message in frame["messages"]:
        _say(pen, frame["scene"]["shapes"], message, place, scale)
    told = "  ".join(f"{message['from']}: {message['word']}" for message in frame["messages"])
    pen.text((6, SIZE - 16), f"step {frame['step']}  {told}", fill=INK)
    return picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=32)


def _circle(pen: ImageDraw.ImageDraw, shape: dict[str, Any], place: Place, scale: float) -> None:
    x, y = place(shape["x"], shape["y"])
    r = max(shape["r"] * scale, 1.5)
    pen.ellipse((x - r, y - r, x + r, y + r), fill=COLORS[shape["color"]])
    pen.text((x, y + r + 2), shape["label"], fill=INK, anchor="mt")


def _box(pen: ImageDraw.ImageDraw, shape: dict[str, Any], place: Place, scale: float) -> None:
    x, y = place(shape["x"], shape["y"] + shape["h"])
    wide, tall = shape["w"] * scale, shape["h"] * scale
    pen.rectangle((x, y, x + wide, y + tall), fill=COLORS[shape["color"]])
    pen.text((x + wide / 2, y + tall / 2), shape["label"], fill=PAPER, anchor="mm")


def _line(pen: ImageDraw.ImageDraw, shape: dict[str, Any], place: Place, scale: float) -> None:
    ends = (*place(shape["x"], shape["y"]), *place(shape["x2"], shape["y2"]))
    pen.line(ends, fill=COLORS[shape["color"]], width=2)


def _text(pen: ImageDraw.ImageDraw, shape: dict[str, Any], place: Place, scale: float) -> None:
    pen.text(place(shape["x"], shape["y"]), shape["text"], fill=COLORS[shape["color"]], anchor="mm")


def _say(
    pen: ImageDraw.ImageDraw, shapes: list[dict[str, Any]], message: dict[str, Any], place: Place, scale: float
) -> None:
    """Write the word over the shape that bears its speaker's name, where there is one."""
    for shape in shapes:
        if shape.get("label") == message["from"]:
            x, y = place(shape["x"], shape["y"])
            pen.text((x, y - shape.get("r", 0.0) * scale - 4), f'"{message["word"]}"', fill=INK, anchor="mb")


SHAPES: dict[str, Callable[[ImageDraw.ImageDraw, dict[str, Any], Place, float], None]] = {
    "circle": _circle,
    "box": _box,
    "line": _line,
    "text": _text,
}
