"""Pictures of a result: light, readable, for colour-blind eyes too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

MAX_NAMED = 30
"""Beyond so many classes, names and counts in the picture could not be read."""


def confusion_counts(truth: Any, said: Any, classes: list[Any]) -> Any:
    """Return counts, true class by row and predicted class by column, in the order of `classes`."""
    index = {name: place for place, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype="int64")
    for true, predicted in zip(truth.tolist(), said.tolist(), strict=True):
        counts[index[true], index[predicted]] += 1
    return counts


def draw_confusion(path: Path, counts: Any, classes: list[Any], *, title: str) -> None:
    """Write the matrix as a PNG: shade by share of the true class, count and share in each cell."""
    from matplotlib.figure import Figure  # late: half a second that only the end needs

    named = len(classes) <= MAX_NAMED
    side = min(11.0, 3.2 + 0.62 * min(len(classes), MAX_NAMED))
    figure = Figure(figsize=(side + 0.9, side), dpi=120, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label("share of the true class")
    bar.outline.set_visible(False)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_title(title, fontsize=11, pad=12)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    if named:
        names = [_short(name) for name in classes]
        turned = len(names) * max(map(len, names)) > 60
        axes.set_xticks(range(len(names)), names, rotation=45 if turned else 0, ha="right" if turned else "center")
        axes.set_yticks(range(len(names)), names)
        _write_cells(axes, counts, shares)
    figure.savefig(path, bbox_inches="tight", pad_inches=0.15)


def _write_cells(axes: Any, counts: Any, shares: Any) -> None:
    few = len(counts) <= 8
    for (row, column), count in np.ndenumerate(counts):
        if count or few:
            share = shares[row, column]
            text = f"{count:,}\n{share:.1%}" if few else f"{count}"
            colour = "white" if share > 0.68 else "#1a1a2e"
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=10 if few else 7)


def _short(name: Any) -> str:
    text = str(name)
    return text if len(text) <= 18 else f"{text[:17]}…"
