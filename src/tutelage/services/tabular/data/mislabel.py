"""Writes a shipped table with wrong labels: `python -m ...data.mislabel sklearn:breast_cancer wrong.csv 0.25`.

What label noise does to a training is best seen where the true labels are known.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.core.errors import InvalidSpec
from tutelage.services.tabular.data.limits import Budget
from tutelage.services.tabular.data.readers.shipped import read_sklearn

TARGET = "target"
MEMORY_GIB = 4.0


def mislabelled(frame: Any, share: float, *, target: str = TARGET, seed: int = 0) -> Any:
    """Return the table with the labels of `share` of its rows changed to another class, drawn by the seed."""
    classes = np.unique(frame[target])
    if not 0 < share < 1 or len(classes) < 2:
        raise InvalidSpec(f"a share between 0 and 1 of two classes or more, got {share:g} of {len(classes)}")
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(frame), round(share * len(frame)), replace=False)
    codes = np.searchsorted(classes, frame[target])
    codes[rows] = (codes[rows] + rng.integers(1, len(classes), len(rows))) % len(classes)
    return frame.assign(**{target: classes[codes]})


def main() -> int:
    """Read the table, change the labels, write the file; print how many rows were changed."""
    given = argparse.ArgumentParser(description="write one of scikit-learn's tables with wrong labels, as CSV")
    given.add_argument("source", help="such as sklearn:breast_cancer")
    given.add_argument("file", type=Path)
    given.add_argument("share", type=float, help="of the rows, between 0 and 1")
    given.add_argument("--seed", type=int, default=0)
    asked = given.parse_args()
    frame = read_sklearn(asked.source, Budget(memory_gib=MEMORY_GIB)).frame
    changed = mislabelled(frame, asked.share, seed=asked.seed)
    changed.to_csv(asked.file, index=False)
    sys.stdout.write(f"{int((changed[TARGET] != frame[TARGET]).sum())}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
