"""How right the judge is: on labelled curves never tuned on, on real healthy curves, on real runs with faults."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Figure, Report
from benchmarks.support import faults, real_curves
from benchmarks.support.labelled_curves import TEST_SEED, Labelled, labelled
from benchmarks.support.scores import Policy, Score, apply, delays, held, is_told, patient, score
from benchmarks.support.timing import quantile
from benchmarks.support.verdicts import (
    PATIENCES,
    Said,
    aligned,
    half_means_overfits,
    half_means_trend,
    judge,
    naive_overfits,
    patience_ends_at,
)
from tutelage.analysis.rules import Rules

PER_CELL, PER_CELL_QUICK = 60, 2
EVERY_QUICK = 40
"""A quick run reads one in forty of the real curves."""
FAULT_SEED = 7_000
SPOKEN = {"overfit": "overfitting", "plateau": "plateaued", "divergence": "diverged"}
GOALS = {
    "f1_overfit": 0.97,
    "f1_plateau": 0.95,
    "f1_divergence": 0.98,
    "f1_overfit_all": 0.90,
    "f1_plateau_all": 0.80,
    "f1_divergence_all": 0.92,
}
LEAST_REGRET = 0.01
DATA = "TUTELAGE_TEST_DATA"


@dataclass(frozen=True, kw_only=True)
class Examined:
    """The labelled curves, what was said of each, and what a point cost."""

    curves: Sequence[Labelled]
    said: Sequence[Sequence[Said]]
    cost_us: Sequence[float]

    def where(self, keep: Callable[[Labelled], bool]) -> Examined:
        """Return the part of the curves that a question is about."""
        kept = [index for index, curve in enumerate(self.curves) if keep(curve)]
        return Examined(curves=[self.curves[i] for i in kept], said=[self.said[i] for i in kept], cost_us=self.cost_us)

    def f1(self, label: str) -> Score:
        """Return how well a label is told."""
        pairs = zip(self.curves, self.said, strict=True)
        return score([curve.label == label for curve in self.curves], [is_told(label, *pair) for pair in pairs])

    def policies(self, stop: Any) -> list[Policy]:
        """Return what a policy costs on each of the curves."""
        return [apply(stop, curve, said) for curve, said in zip(self.curves, self.said, strict=True)]


def run(*, quick: bool) -> Report:
    """Examine all of it; real curves only where TUTELAGE_TEST_DATA names their folder."""
    found = examine(TEST_SEED, per_cell=PER_CELL_QUICK if quick else PER_CELL)
    figures = [*_f1(found), *_delays(found), *_policy(found), *_costs(found)]
    _show_by_cell(found)
    folder = os.environ.get(DATA)
    if folder and (Path(folder) / real_curves.FILE).exists():
        figures += _real(Path(folder), every=EVERY_QUICK if quick else 1)
    else:
        print(f"  real curves: left out, as {DATA} names no folder that holds {real_curves.FILE}")
    figures.append(_faults(("nan_batch", "frozen") if quick else tuple(faults.FAULTS)))
    return Report(name="judgement", figures=figures, peers=_peers(found))


def examine(seed: int, *, per_cell: int, rules: Rules | None = None) -> Examined:
    """Judge every labelled curve of a seed."""
    curves, clock_ns = list(labelled(seed, per_cell=per_cell)), []
    said = [judge(curve, rules or Rules(), clock_ns) for curve in curves]
    return Examined(curves=curves, said=said, cost_us=[cost / 1000 for cost in clock_ns])


def _f1(found: Examined) -> Iterable[Figure]:
    clear = found.where(lambda curve: curve.is_clear)
    for part, suffix in ((clear, ""), (found, "_all")):
        for name, label in SPOKEN.items():
            result, key = part.f1(label), f"f1_{name}{suffix}"
            yield Figure(key=key, value=result.f1, unit=f"of {result.num}", at_least=GOALS[key])
            yield Figure(key=f"{key}_low", value=result.low, unit="2.5 %")
            yield Figure(key=f"{key}_high", value=result.high, unit="97.5 %")


def _delays(found: Examined) -> Iterable[Figure]:
    """Yield how much of the run passes from the material rise to the finding; a miss counts as the whole run."""
    clear = found.where(lambda curve: curve.is_clear)
    late, late_clear = delays(found.curves, found.said), delays(clear.curves, clear.said)
    yield Figure(key="delay_median_pct", value=100 * quantile(late_clear, 0.5), unit="% of a run", at_most=6)
    yield Figure(key="delay_median_all_pct", value=100 * quantile(late, 0.5), unit="% of a run")


def _policy(found: Examined) -> Iterable[Figure]:
    overfitting = found.where(lambda curve: curve.label == "overfitting").policies(held)
    others = found.where(lambda curve: curve.label in ("improving", "plateaued")).policies(held)
    lost = sum(item.regret > LEAST_REGRET for item in overfitting) / len(overfitting)
    stopped = sum(item.is_stopped for item in others) / len(others)
    used = quantile([item.used for item in overfitting], 0.5)
    yield Figure(key="regret_over_1pct_share", value=lost, unit="of runs", at_most=0.02)
    yield Figure(key="epochs_used_median", value=used, unit="of a run", at_most=0.66)
    yield Figure(key="wrongly_stopped_share", value=stopped, unit="of runs", at_most=0.02)


def _costs(found: Examined) -> Iterable[Figure]:
    yield Figure(key="us_per_point_median", value=quantile(found.cost_us, 0.5), unit="us", at_most=100)
    yield Figure(key="us_per_point_p99", value=quantile(found.cost_us, 0.99), unit="us", at_most=1000)


def _real(folder: Path, *, every: int) -> Iterable[Figure]:
    curves = real_curves.healthy_curves(folder, every=every)
    alarms = real_curves.false_alarms(curves, Rules(), TEST_SEED)
    share, num = real_curves.power(curves, Rules())
    for noise, alarm in alarms.share.items():
        print(f"  healthy curves, noise {noise:5.1%}: {100 * alarm:.2f} % called overfitting at any prefix")
    yield Figure(key="healthy_curves", value=alarms.num, unit="curves")
    yield Figure(key="false_alarm_prefix_pct", value=100 * alarms.pooled, unit="%", at_most=0.1)
    yield Figure(key="power_0p4", value=share, unit=f"of {num}", at_least=0.95)


def _faults(names: Sequence[str]) -> Figure:
    """Train with each fault for real, and count the runs whose fault is named."""
    told = faults.named(FAULT_SEED, names)
    for fault, seed, said, is_right in told:
        print(f"  {'right' if is_right else 'WRONG'} {fault} {seed}: {said.verdict}: {said.sentence}")
    is_whole = len(told) == 20
    right = sum(is_right for *_, is_right in told)
    return Figure(key="faults_named", value=right, unit=f"of {len(told)}", at_least=18 if is_whole else len(told))


def _show_by_cell(found: Examined) -> None:
    """Print F1 by noise and by length."""
    for title, parts in (
        ("noise", {f"{noise:.1%}": _with(found, noise=noise) for noise in sorted({c.noise for c in found.curves})}),
        ("evaluations", {str(num): _with(found, num=num) for num in sorted({c.num for c in found.curves})}),
    ):
        for value, part in parts.items():
            told = "  ".join(f"{name} {part.f1(label).f1:.3f}" for name, label in SPOKEN.items())
            print(f"  {title} {value:>6} (n={len(part.curves)}): {told}")


def _with(found: Examined, *, noise: float | None = None, num: int | None = None) -> Examined:
    return found.where(lambda curve: noise in (None, curve.noise) and num in (None, curve.num))


def _peers(found: Examined) -> Mapping[str, Mapping[str, float | str]]:
    """Return what others say of the same curves; a rule that needs train is asked only where there is one."""
    twinned = found.where(lambda curve: curve.train is not None)
    peers = {
        "half_means": _peer(twinned, lambda train, val: half_means_overfits(train, val)),
        "naive": _peer(twinned, lambda train, val: naive_overfits(train, val)),
    }
    steady = found.where(lambda curve: curve.family != "lr_steps")
    told = [half_means_trend(_finite(aligned(curve)[0])) == "plateaued" for curve in steady.curves]
    peers["half_means"]["f1_plateau_all"] = str(score([c.label == "plateaued" for c in steady.curves], told))
    for patience in PATIENCES:
        peers[f"patience_{patience}"] = _patience(found, patience)
    return peers


def _peer(found: Examined, tells: Callable[[Any, Any], bool]) -> dict[str, float | str]:
    clear = found.where(lambda curve: curve.is_clear)
    return {
        f"f1_overfit{suffix}": str(
            score(
                [curve.label == "overfitting" for curve in part.curves],
                [tells(train, _finite(val)) for val, train in map(aligned, part.curves)],
            )
        )
        for part, suffix in ((clear, ""), (found, "_all"))
    }


def _patience(found: Examined, patience: int) -> dict[str, float | str]:
    figures = _peer(found, lambda train, val: patience_ends_at(val, patience) is not None)
    overfitting = found.where(lambda curve: curve.label == "overfitting").policies(patient(patience))
    others = found.where(lambda curve: curve.label in ("improving", "plateaued")).policies(patient(patience))
    figures["regret_over_1pct_share"] = sum(item.regret > LEAST_REGRET for item in overfitting) / len(overfitting)
    figures["epochs_used_median"] = quantile([item.used for item in overfitting], 0.5)
    figures["wrongly_stopped_share"] = sum(item.is_stopped for item in others) / len(others)
    return figures


def _finite(values: Any) -> Any:
    return np.where(np.isfinite(values), values, 1e9)
