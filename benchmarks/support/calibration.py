"""Measures how often a verdict is right by how clearly it stands out: `python -m benchmarks.support.calibration`.

Prints the table `HIT_RATES` of `tutelage.analysis.confidence`, from tuning seeds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from benchmarks.support.labelled_curves import TUNING_SEED, Labelled, labelled
from benchmarks.support.verdicts import folded
from tutelage.analysis.confidence import clearness
from tutelage.analysis.rules import Rules
from tutelage.core.findings import Verdict

NUM_BINS = 5
MIN_IN_BIN = 15
Case = tuple[Verdict, bool]


def hit_rates(curves: Sequence[Labelled]) -> dict[Case, list[tuple[float, float]]]:
    """Return, for each verdict with and without a twin, (clearness, share right): never falling with clearness."""
    found: defaultdict[Case, list[tuple[float, bool]]] = defaultdict(list)
    for curve in curves:
        fold = folded(curve, Rules())
        verdict = fold.verdict
        ratio = clearness(fold, verdict)
        is_open = curve.settled is not None and verdict in (Verdict.PLATEAUED, Verdict.IMPROVING)
        if ratio is not None and not is_open:  # flat or not after the last drop: either may be right
            found[verdict, fold.pair.has_train].append((ratio, curve.label == verdict))
    return {case: pooled(sorted(items)) for case, items in sorted(found.items()) if len(items) >= 2 * MIN_IN_BIN}


def pooled(items: Sequence[tuple[float, bool]]) -> list[tuple[float, float]]:
    """Return the bins' mean clearness and hit rate, neighbours pooled until the rate never falls."""
    size = max(len(items) // NUM_BINS, MIN_IN_BIN)
    bins: list[list[tuple[float, bool]]] = []
    for begin in range(0, len(items) - size + 1, size):
        bins.append(list(items[begin : begin + size]))
        while len(bins) > 1 and _rate(bins[-1]) <= _rate(bins[-2]):
            bins[-2:] = [bins[-2] + bins[-1]]
    return [(round(sum(r for r, _ in part) / len(part), 2), round(_rate(part), 3)) for part in bins]


def _rate(part: Sequence[tuple[float, bool]]) -> float:
    """Return the share right, with one more of each: no verdict is certain for lack of a miss."""
    return (sum(is_right for _, is_right in part) + 1) / (len(part) + 2)


if __name__ == "__main__":
    for (verdict, has_train), table in hit_rates(list(labelled(TUNING_SEED + 2, per_cell=40))).items():
        print(f"    (Verdict.{verdict.name}, {has_train}): {tuple(table)},")
