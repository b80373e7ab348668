"""The confusion matrix: counts, and shares of the true class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.services.tabular.report.plots.style import INK, page, short

MAX_NAMED = 30
"""Beyond so many classes, names and counts in the picture could not be read."""


def draw_confusion(path: Path, data: Mapping[str, Any]) -> None:
    """Write the matrix: shade by share of the true class, count and share in each cell."""
    counts, classes = np.asarray(data["counts"]), data["classes"]
    about, named = data["about"], len(classes) <= MAX_NAMED
    side = min(10.0, 3.4 + 0.55 * min(len(classes), MAX_NAMED))
    size = (side + 0.9, side + 0.3)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with page(path, title="Confusion matrix", about=about, size=size, layout="compressed") as (figure, axes):
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
        bar.set_label("share of the true class")
        bar.outline.set_visible(False)
        axes.set(xlabel="predicted", ylabel="true")
        axes.spines[:].set_visible(False)
        axes.grid(visible=False)
        if named:
            names = [short(name) for name in classes]
            turned = len(names) * max(map(len, names)) > 60
            axes.set_xticks(range(len(names)), names, rotation=45 if turned else 0, ha="right" if turned else "center")
            axes.set_yticks(range(len(names)), names)
            _write_cells(axes, counts, shares)


def _write_cells(axes: Any, counts: Any, shares: Any) -> None:
    few = len(counts) <= 8
    for (row, column), count in np.ndenumerate(counts):
        if count or few:
            share = shares[row, column]
            text = f"{count:,}\n{share:.1%}" if few else f"{count}"
            colour = "white" if share > 0.68 else INK
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=10 if few else 7)
