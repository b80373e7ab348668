"""One quiet look for every picture: white paper, few lines, colours that colour-blind eyes can tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

INK, QUIET, FAINT = "#1f2933", "#6b7280", "#e5e7eb"
BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE = "#0072b2", "#d55e00", "#009e73", "#e69f00", "#56b4e9", "#cc79a7"
PALE, GREY = "#7fb8d8", "#b8bdc7"
"""For bars: solid, as grid lines would shine through."""

CYCLE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
"""Okabe and Ito's colours (2008), in the order in which lines take them."""

DPI = 120
NUM_COLOURS = 200
LOOK: Any = {
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titlecolor": QUIET,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
}


@contextmanager
def page(
    path: Path,
    *,
    title: str,
    about: str,
    size: tuple[float, float] = (6.2, 4.4),
    layout: Any = "constrained",
    **parts: Any,
) -> Iterator[tuple[Any, Any]]:
    """Give a figure and its axes to draw on (`parts` as for `Figure.subplots`), and write them as a PNG.

    `title` says what is shown, `about` on which rows; `size` is in inches at 120 dots.
    """
    import matplotlib  # late: half a second that only the end of a training needs
    from matplotlib.figure import Figure

    with matplotlib.rc_context(LOOK):
        figure = Figure(figsize=size, dpi=DPI, facecolor="white", layout=layout)
        axes = figure.subplots(**parts)
        header = figure.suptitle(f"{title}\n", x=0.012, ha="left", fontsize=12, fontweight="bold")
        yield figure, axes
        figure.draw_without_rendering()
        box = header.get_window_extent().transformed(figure.transFigure.inverted())
        figure.text(box.x0, box.y0, about, ha="left", va="bottom", color=QUIET)
        _write(figure, path)


def _write(figure: Any, path: Path) -> None:
    """Write the PNG with a palette: a third of the bytes, and nothing that an eye would miss."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image  # matplotlib's own dependency

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]
    few = Image.fromarray(np.ascontiguousarray(pixels)).quantize(
        NUM_COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    )
    few.save(path, format="PNG", optimize=True, dpi=(DPI, DPI))


def short(name: Any, *, width: int = 18) -> str:
    """Return a name that fits beside an axis."""
    text = str(name).replace("$", r"\$")  # a dollar would begin mathematics
    return text if len(text) <= width else f"{text[: width - 1]}…"


def spelled(number: float) -> str:
    """Return a number with four significant digits, or whole with commas where it is large."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
