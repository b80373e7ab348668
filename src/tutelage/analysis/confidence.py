"""How often a verdict was right where it stood out by so much: measured on the tuning seeds, not assumed.

`python -m benchmarks.support.calibration` measures the table anew. Where nothing was measured the confidence is None,
never a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tutelage.analysis.fold import Fold
from tutelage.core.findings import Verdict

Table = Sequence[tuple[float, float]]
"""(how clearly it stands out, share of right verdicts), by clearness; between two, a straight line."""

HIT_RATES: dict[tuple[Verdict, bool], Table] = {
    (Verdict.DIVERGED, False): ((14.18, 0.756),),
    (Verdict.DIVERGED, True): ((2.88, 0.958), (70.83, 0.995)),
    (Verdict.IMPROVING, False): ((9.79, 0.695),),
    (Verdict.IMPROVING, True): ((6.62, 0.823),),
    (Verdict.OVERFITTING, False): ((2.47, 0.882), (6.67, 0.938), (20.91, 0.941)),
    (Verdict.OVERFITTING, True): ((1.75, 0.869), (22.09, 0.996)),
    (Verdict.PLATEAUED, False): ((0.61, 0.706), (1.93, 0.882)),
    (Verdict.PLATEAUED, True): ((-0.68, 0.5), (1.16, 0.794), (1.44, 0.853), (2.04, 0.912), (3.32, 0.971)),
}
"""(verdict, whether there is a twin) -> how often it was right at the end of a run."""


def clearness(fold: Fold, verdict: Verdict) -> float | None:
    """Return by how much a verdict exceeds what it needs, as a ratio; None where that was not measured."""
    outlook = fold.pair.outlook
    if verdict is Verdict.OVERFITTING and fold.overfitting.rise is not None:
        return fold.overfitting.rise.ratio
    if verdict is Verdict.DIVERGED and fold.divergence.blowup is not None:
        return fold.divergence.blowup.amount / fold.divergence.blowup.threshold
    if outlook is None or not outlook.error:
        return None
    if verdict is Verdict.PLATEAUED:
        return (outlook.matters - outlook.gain) / outlook.error
    if verdict is Verdict.IMPROVING:
        return (outlook.gain - outlook.matters) / outlook.error
    return None


def confidence(fold: Fold, verdict: Verdict) -> float | None:
    """Return how often such a verdict, standing out by so much, was right."""
    table = HIT_RATES.get((verdict, fold.pair.has_train))
    ratio = clearness(fold, verdict)
    return None if table is None or ratio is None else interpolated(table, ratio)


def interpolated(table: Table, at: float) -> float:
    """Return the table's value at a place, held beyond its ends."""
    if at <= table[0][0]:
        return table[0][1]
    for (low, below), (high, above) in pairwise(table):
        if at <= high:
            return below + (above - below) * (at - low) / (high - low)
    return table[-1][1]
