"""What a clustering found, as a document and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tutelage.core.atomic import write_json
from tutelage.core.ports import Run

DOCUMENT, PICTURE = "clusters.json", "clusters.png"
NOISE = -1
PALETTE = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#e08214", "#555555", "#99ddbb", "#7f5539")
"""Told apart by colour-blind eyes too (after Paul Tol); beyond ten clusters other marks begin."""

MARKS = ("o", "^", "s", "D")
MAX_NAMED = 24


def write_clusters(run: Run, found: Any, *, algorithm: str) -> list[str]:
    """Write the document and the picture of the kept model's clusters; return their names."""
    document = {
        "algorithm": algorithm,
        "rows": "the training rows",
        "centres": "means of numbers in the table's units (dates: days since 1970); shares of the commonest categories",
        **found.details,
        "clusters": found.record,
    }
    write_json(run.artifact(DOCUMENT), document)
    draw_clusters(run.artifact(PICTURE), found, title=f"{algorithm}: {_counted(found.record)}")
    return [DOCUMENT, PICTURE]


def _counted(record: list[dict[str, Any]]) -> str:
    noise = [item for item in record if item["cluster"] == NOISE]
    rows = sum(item["size"] for item in record)
    tail = f", {noise[0]['share']:.1%} noise" if noise else ""
    return f"{len(record) - len(noise)} clusters of {rows:,} training rows{tail}"


def draw_clusters(path: Path, found: Any, *, title: str) -> None:
    """Write a scatter plot of the rows' first two principal components, coloured by cluster, as a PNG."""
    from matplotlib.figure import Figure  # late: half a second that only the end needs

    figure = Figure(figsize=(7.4, 5.2), dpi=120, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    for item in found.record:
        name = item["cluster"]
        places = found.points[found.labels == name]
        if len(places):
            axes.scatter(places[:, 0], places[:, 1], **_look(name), label=f"{_named(name)} ({item['share']:.1%})")
    if len(found.record) > 1:
        _write_names(axes, found)
    shares = [f" ({share:.0%} of the variance)" for share in found.explained] + ["", ""]
    axes.set(xlabel=f"first principal component{shares[0]}", ylabel=f"second principal component{shares[1]}")
    axes.set_title(title, fontsize=11, pad=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, lw=0.6)
    if len(found.record) <= MAX_NAMED:
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=1.6)
    figure.savefig(path, bbox_inches="tight", pad_inches=0.15)


def _look(name: int) -> dict[str, Any]:
    if name == NOISE:
        return {"s": 9, "color": "#c4c4c4", "marker": "x", "lw": 0.7, "zorder": 1}
    mark = MARKS[name // len(PALETTE) % len(MARKS)]
    return {"s": 13, "color": PALETTE[name % len(PALETTE)], "marker": mark, "alpha": 0.65, "lw": 0, "zorder": 2}


def _named(name: int) -> str:
    return "noise" if name == NOISE else f"cluster {name}"


def _write_names(axes: Any, found: Any) -> None:
    """Write each cluster's number at the middle of its points."""
    box = {"boxstyle": "circle,pad=0.25", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
    for item in found.record[:MAX_NAMED]:
        places = found.points[found.labels == item["cluster"]]
        if item["cluster"] != NOISE and len(places):
            middle = np.median(places, axis=0)
            axes.text(*middle, str(item["cluster"]), ha="center", va="center", fontsize=9, bbox=box, zorder=5)
