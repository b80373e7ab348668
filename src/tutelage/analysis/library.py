"""`tutelage.assess`: the judge as a function, for curves from anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from tutelage.analysis.assess import assessment
from tutelage.analysis.declared import Declared, Direction, Role
from tutelage.analysis.judge import Judge, Scope, Standing, judged_metric
from tutelage.analysis.series import BestStep, Curve, best, in_force, noise, oriented
from tutelage.core.errors import InvalidSpec, unknown
from tutelage.core.wire import Assessment

DIRECTIONS = ("minimize", "maximize")
LOSS = "loss"
TWINS = (("val_", "train_"), ("valid_", "train_"), ("validation_", "train_"), ("eval_", "train_"), ("test_", "train_"))

Points = Iterable[tuple[float, float]]


def assess(
    curves: Mapping[str, Points],
    directions: Mapping[str, Direction] | None = None,
    pairs: Mapping[str, str] | None = None,
    *,
    objective: str | None = None,
    roles: Mapping[str, str] | None = None,
    baselines: Mapping[str, float] | None = None,
    budget: float | None = None,
    ended: bool = False,
) -> Assessment:
    """Judge learning curves: a verdict, one sentence, its evidence, what to do.

    `curves` maps a metric's name to its (step, value) points, in the order in which they were logged; NaN and infinity
    are told, repeated and missing steps are expected. A name that ends in `loss` is minimised; any other one that is to
    count needs an entry in `directions` (`minimize` or `maximize`). `pairs` maps a validation metric to its training
    twin; left out, `val_loss` is paired with `train_loss` and the like where both are given. `objective` is the metric
    that counts (default: the first that is paired, else the first with a direction); `roles` says what side signals
    are (`{"lr": "learning_rate"}`), `baselines` what a trivial model reaches, `budget` the step at which the run ends,
    `ended` that it is over.

    Raises InvalidSpec for a curve that cannot be read and where no curve has a direction, UnknownName for a name that
    is not among the curves, and for an unknown direction or role.
    """
    return examine(
        curves, directions, pairs, objective=objective, roles=roles, baselines=baselines, budget=budget, ended=ended
    ).assessment


@dataclass(frozen=True, kw_only=True)
class Examination:
    """An assessment with what it was made of: the judged metric, its twin and their points in force, its best step."""

    assessment: Assessment
    metric: str
    twin: str | None
    curves: Mapping[str, Curve]
    is_maximized: bool
    best: BestStep | None


def examine(
    curves: Mapping[str, Points],
    directions: Mapping[str, Direction] | None = None,
    pairs: Mapping[str, str] | None = None,
    *,
    objective: str | None = None,
    roles: Mapping[str, str] | None = None,
    baselines: Mapping[str, float] | None = None,
    budget: float | None = None,
    ended: bool = False,
) -> Examination:
    """Judge as `assess` does, and return what a picture of it needs too."""
    read = {name: _points(name, points) for name, points in curves.items()}
    declared = _declared(list(read), directions or {}, pairs, roles or {}, baselines or {})
    _check_names([objective] if objective else [], read)
    if objective and declared[objective].direction is None:
        raise _no_direction(objective)
    scope = Scope(declared=declared, objective=objective, budget=budget)
    metric = judged_metric(scope, list(read))
    assert metric is not None, "a curve has a direction"
    scope = Scope(declared=declared, objective=metric, budget=budget)
    judge = Judge(scope)
    taken = judge.extend(read)
    assert taken, "a fresh judge takes every point"
    values = oriented(read[metric], maximize=declared[metric].maximize)
    return Examination(
        assessment=assessment(judge, _standing(scope, read, ended=ended)),
        metric=metric,
        twin=declared[metric].pairs,
        curves=read,
        is_maximized=declared[metric].maximize,
        best=best(values),
    )


def _standing(scope: Scope, curves: Mapping[str, Curve], *, ended: bool) -> Standing:
    """Return the best step of the metric that counts, and how far the run is."""
    assert scope.objective is not None, "a curve has a direction"
    is_maximized = scope.declared[scope.objective].maximize
    values = oriented(curves[scope.objective], maximize=is_maximized)
    top = best(values)
    spent = max((points[-1][0] for points in curves.values() if points), default=0)
    return Standing(
        best=None if top is None else (-top.value if is_maximized else top.value),
        best_step=top.step if top else None,
        best_unit=scope.unit,
        fraction=spent / scope.budget if scope.budget else None,
        ended=ended,
        spread=noise(values) if len(values) >= 3 else None,
    )


def _points(name: str, given: Points) -> Curve:
    points: list[tuple[int, float]] = []
    for index, point in enumerate(given):
        pair = tuple(point) if isinstance(point, Iterable) and not isinstance(point, str) else ()
        if len(pair) != 2 or not all(isinstance(item, Real) for item in pair) or pair[0] != pair[0]:
            raise InvalidSpec(
                f"point {index} of curve {name!r} must be (step, value), got {point!r}",
                hint="give each curve as a list of [step, value] pairs of numbers",
            )
        if not math.isfinite(pair[0]) or pair[0] != int(pair[0]):
            raise InvalidSpec(
                f"the step of point {index} of curve {name!r} must be a whole number, got {pair[0]!r}",
                hint="count steps, epochs or rounds; the value may be any number",
            )
        points.append((int(pair[0]), float(pair[1])))
    return in_force(points)


def _declared(
    names: list[str],
    directions: Mapping[str, Any],
    pairs: Mapping[str, str] | None,
    roles: Mapping[str, str],
    baselines: Mapping[str, float],
) -> dict[str, Declared]:
    """Return what is declared of each curve. Raises where a name, a direction or a role is unknown."""
    twins = _default_pairs(names) if pairs is None else dict(pairs)
    _check_names([*directions, *twins, *twins.values(), *roles, *baselines], names)
    for direction in directions.values():
        if direction not in DIRECTIONS:
            raise unknown("direction", str(direction), DIRECTIONS)
    for role in roles.values():
        if role not in set(Role):
            raise unknown("role", str(role), Role)
    found = {
        name: Declared(
            direction=directions.get(name) or ("minimize" if name.lower().endswith(LOSS) else None),
            pairs=twins.get(name),
            baseline=baselines.get(name),
            baseline_name="as given" if name in baselines else "",
            role=Role(roles[name]) if name in roles else None,
        )
        for name in names
    }
    undirected = next((name for name in twins if found[name].direction is None), None)
    if undirected is not None:
        raise _no_direction(undirected)
    if not any(item.direction for item in found.values()):
        raise _no_direction(names[0]) if names else InvalidSpec("no curve is given", hint="give at least one")
    return found


def _default_pairs(names: list[str]) -> dict[str, str]:
    """Pair `val_loss` with `train_loss` and the like; losses only, as others need a direction from the caller."""
    found = {}
    for name in names:
        for prefix, twin in TWINS:
            partner = twin + name.removeprefix(prefix)
            if name.startswith(prefix) and name.lower().endswith(LOSS) and partner in names:
                found[name] = partner
    return found


def _check_names(asked: Iterable[str], names: Iterable[str]) -> None:
    known = list(names)
    for name in asked:
        if name not in known:
            raise unknown("curve", name, known)


def _no_direction(name: str) -> InvalidSpec:
    return InvalidSpec(
        f"curve {name!r} has no direction: only names that end in 'loss' are minimised by default",
        hint=f'give directions={{"{name}": "maximize"}} or "minimize"; to `tutelage assess`, -d {name}=maximize',
    )
