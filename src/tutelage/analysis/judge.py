"""The judge of one scope: takes points as they come, in any order of curves, and stands where a fold would stand."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from tutelage.analysis.checks import (
    h005_stalled,
    h006_spike,
    h008_learning_rate,
    h009_gradients,
    h010_leakage,
    h011_throughput,
    h101_entropy,
    h102_kl,
    h103_explained_variance,
    h104_communication,
)
from tutelage.analysis.checks.h004_non_finite import NonFinite
from tutelage.analysis.checks.h007_not_learning import beats_baseline
from tutelage.analysis.declared import Declared, Role
from tutelage.analysis.fold import Fold
from tutelage.analysis.pair import Facts
from tutelage.analysis.rules import MIN_EVALUATIONS, Rules
from tutelage.analysis.series import Curve, bounded, oriented
from tutelage.core.findings import Outcome
from tutelage.core.wire import Finding

MAX_POINTS = 512


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One scope as declared: what its metrics are, which of them counts, and where its curves end.

    `budget` is the step at which they end, `settled_after` the last step at which the learning rate is planned to
    change; None where that is unknown.
    """

    name: str = ""
    unit: str = "step"
    declared: Mapping[str, Declared] = field(default_factory=dict)
    objective: str | None = None
    budget: float | None = None
    settled_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How the operation stands besides its curves.

    `best` and `best_step` are the objective's over the whole operation, `fraction` the share of the budget that is
    spent, `spread` the error of a single best value, `silent_s` the time since the last step (None: it does not
    train), `interval_s` the median time between steps, `heartbeat_s` the time since the last sign of life.
    """

    best: float | None = None
    best_step: int | None = None
    best_unit: str = ""
    fraction: float | None = None
    ended: bool = False
    spread: float | None = None
    silent_s: float | None = None
    interval_s: float | None = None
    heartbeat_s: float | None = None
    remaining_s: float | None = None


class Judge:
    """Holds a fold over the judged curve, and the newest 512 points of each curve of the scope."""

    def __init__(self, scope: Scope, rules: Rules | None = None) -> None:
        self.scope = scope
        self._rules = rules or Rules()
        self.newest: dict[str, deque[tuple[int, float]]] = {}
        self.judged: str | None = None
        self.twin: str | None = None
        self.fold: Fold | None = None
        self._waiting: deque[tuple[int, float]] = deque()
        self._non_finite = NonFinite()

    def extend(self, curves: Mapping[str, Curve]) -> bool:
        """Take new points in, each curve's in order of steps; False, and nothing taken, where they come too late.

        Too late is a point at or before one that was judged, and a curve that counts more than the one judged so far,
        if any: then the caller folds anew over all points.
        """
        given = {name: points for name, points in curves.items() if points}
        if any(name in self.newest and points[0][0] <= self.newest[name][-1][0] for name, points in given.items()):
            return False
        judged = judged_metric(self.scope, [*self.newest, *given])
        if self.newest and judged != self.judged:
            return False
        twin = self._declared(judged).pairs if judged else None
        if self._comes_late(given.get(twin or "", ())):
            return False
        self._begin(judged, twin)
        self._take(given)
        return True

    def _comes_late(self, twin_points: Curve) -> bool:
        last = self.fold.last_step if self.fold else None
        return bool(twin_points) and last is not None and twin_points[0][0] <= last

    def _begin(self, judged: str | None, twin: str | None) -> None:
        if self.fold is not None or judged is None:
            return
        declared, scope = self._declared(judged), self.scope
        twin_declared = self._declared(twin) if twin else declared
        facts = Facts(
            is_maximized=declared.maximize,
            is_twin_maximized=(twin_declared if twin_declared.direction else declared).maximize,
            budget=scope.budget,
            baseline=declared.baseline,
            settled_after=scope.settled_after,
        )
        self.judged, self.twin, self.fold = judged, twin, Fold(facts, self._rules)

    def _take(self, given: Mapping[str, Curve]) -> None:
        for name, points in given.items():
            self.newest.setdefault(name, deque(maxlen=MAX_POINTS)).extend(points)
            for step, value in points:
                if not math.isfinite(value):
                    self._non_finite.observe(name, step, value)
        if self.fold is None or self.judged is None:
            return
        self._waiting.extend(given.get(self.twin or "", ()))
        for step, value in given.get(self.judged, ()):
            while self._waiting and self._waiting[0][0] <= step:
                self.fold.train(self._waiting.popleft()[1])
            self.fold.evaluate(step, value)

    def findings(self, standing: Standing) -> list[Finding]:
        """Return what every check says now, in the order of their numbers."""
        found = [
            self._non_finite.finding(num_metrics=len(self.newest)),
            self._stalled(standing),
            h009_gradients.gradients(self._role(Role.GRADIENT_NORM), self._role(Role.UPDATE_RATIO)),
            h011_throughput.throughput(self._role(Role.STEP_TIME), self._role(Role.THROUGHPUT)),
            *self._of_the_curve(standing),
            *self._of_reinforcement(),
        ]
        return sorted(found, key=lambda item: item.code)

    def _of_the_curve(self, standing: Standing) -> list[Finding]:
        """Return the findings on the judged curve and its twin."""
        if self.fold is None or self.judged is None:
            return [self._baseline(standing)]
        pair = self.fold.pair
        found = {item.code: item for item in self.fold.findings()}
        if self.judged != self.scope.objective or len(pair) < MIN_EVALUATIONS:
            own = self._baseline(standing)
            if own.outcome is not Outcome.NOT_APPLICABLE or len(pair) < MIN_EVALUATIONS:
                found["H007"] = own
        loss = self._loss()
        name = self._name_of(Role.LEARNING_RATE)
        found["H006"] = h006_spike.spike(loss)
        found["H008"] = h008_learning_rate.learning_rate(name or "", self._role(Role.LEARNING_RATE), loss)
        found["H010"] = h010_leakage.leakage(pair)
        return list(found.values())

    def _of_reinforcement(self) -> list[Finding]:
        fold = self.fold
        pair = fold.pair if fold else None
        best = pair.val.best[0] if pair and pair.val.now else None
        return [
            h101_entropy.entropy_collapse(self._role(Role.ENTROPY), is_improving=bool(fold and fold.improving.is_on)),
            h102_kl.kl_blowup(self._role(Role.KL)),
            h103_explained_variance.explained_variance(self._role(Role.EXPLAINED_VARIANCE)),
            h104_communication.communication(
                self._role(Role.CAUSAL_INFLUENCE),
                best=best,
                no_channel_bound=pair.baseline if pair else None,
                error=(2 + pair.val.selection(3)) * pair.val.error(3) if pair and len(pair) else 0.0,
            ),
        ]

    def _stalled(self, standing: Standing) -> Finding:
        last = max((points[-1][0] for points in self.newest.values()), default=None)
        return h005_stalled.stalled(
            silent_s=None if standing.ended else standing.silent_s,
            interval_s=standing.interval_s,
            heartbeat_s=standing.heartbeat_s,
            last_step=last,
        )

    def _baseline(self, standing: Standing) -> Finding:
        declared = self._declared(self.scope.objective)
        return beats_baseline(
            best_value=standing.best,
            baseline=declared.baseline,
            maximize=declared.maximize,
            spread=standing.spread,
            fraction=1.0 if standing.ended else standing.fraction,
        )

    def _loss(self) -> list[tuple[int, float]]:
        """Return the newest points of train where there is a twin, else of the judged curve; finite, minimised."""
        assert self.judged is not None, "asked only where a curve is judged"
        name = self.twin if self.twin and self.twin in self.newest else self.judged
        declared = self._declared(name)
        own = declared if declared.direction else self._declared(self.judged)
        return [(step, bounded(value)) for step, value in oriented(list(self.newest[name]), maximize=own.maximize)]

    def _declared(self, metric: str | None) -> Declared:
        return self.scope.declared.get(metric or "", Declared())

    def _name_of(self, role: Role) -> str | None:
        return next((name for name in self.newest if self._declared(name).role == role), None)

    def _role(self, role: Role) -> Curve:
        name = self._name_of(role)
        return list(self.newest[name]) if name else []


def judged_metric(scope: Scope, names: list[str]) -> str | None:
    """Return the curve that counts: the objective, else a paired metric, else any that has a direction."""
    order = {name: index for index, name in enumerate(scope.declared)}
    rated = [name for name in names if scope.declared.get(name, Declared()).direction]
    rated.sort(key=lambda name: order[name])
    if scope.objective in rated:
        return scope.objective
    paired = [name for name in rated if scope.declared[name].pairs]
    return next(iter(paired or rated), None)
