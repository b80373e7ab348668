"""Times small fits before committing, on 1,000 rows, 2,000, ...; the paces are kept in the operation's folder."""

from __future__ import annotations

import json
from pathlib import Path

from tutelage.core.atomic import write_json
from tutelage.core.ports import Run
from tutelage.services.tabular.budget import Budget
from tutelage.services.tabular.catalog import ALGORITHMS
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.fits import FitChild, MustEnd
from tutelage.services.tabular.fitting.ladder import Ladder
from tutelage.services.tabular.fitting.pace import Pace, pace_of, power_of
from tutelage.services.tabular.plan import Plan, entry_of, seed_of
from tutelage.services.tabular.search.laddered import LadderedFits, Size
from tutelage.services.tabular.search.shares import Paces, Work

WARM_UP_ROWS, FIRST_ROWS = 250, 1_000
"""The first fit loads its library and is not counted; then 1,000 rows, 2,000, ..."""

KILL_SHARE, PROBES_SHARE = 0.2, 0.22
"""Of the usable time: when a probe is killed (the warm-up at twice that), and what all may be expected to take."""

SURE = 0.3
"""No further probe where everything is expected to take less than this share of the usable time."""

GROWTH = 2.5
"""A probe on twice the rows is expected to take so many times the time: between linear and quadratic."""

GROWING = ("svm", "knn", "random_forest", "extra_trees")
"""Their models grow with the rows, and so does what writing and testing one takes; others have a fixed size."""

PACE = "pace.json"
Point = tuple[float, float, float]
"""Rows, seconds of the fit, seconds of keeping its model."""


def work_of(plan: Plan) -> Work:
    """Return the fits that a plan asks for."""
    return Work(
        num_folds=len(plan.divided.folds),
        fold_rows=max(len(train) for train, _ in plan.divided.folds),
        final_rows=len(plan.divided.final[0]),
        all_rows=len(plan.target),
    )


class Probe:
    """Measures the paces of a plan's default parameters. Models of probes are thrown away, their scores not read."""

    def __init__(self, config: TabularConfig, run: Run, child: FitChild, budget: Budget) -> None:
        self._config, self._run, self._child, self._budget = config, run, child, budget
        self._file = run.dir / PACE

    def measure(self, plan: Plan, ladder: Ladder, must_end: MustEnd) -> Paces | None:
        """Return the paces, those of an earlier attempt where there are; None where even the first probe was lost."""
        points = _known(self._file, plan.algorithm)
        if not points:
            self._run.log(f"timing {plan.algorithm} on few rows, for the time limit")
            points = self._points(plan, ladder, must_end)
            write_json(self._file, {"algorithm": plan.algorithm, "points": points})
        return _paces(plan, points) if points else None

    def _points(self, plan: Plan, ladder: Ladder, must_end: MustEnd) -> list[Point]:
        """Return what the probes after the warm-up measured; the warm-up too where they are too few without it."""
        work, usable_s = work_of(plan), self._budget.usable_s
        timeout_s = KILL_SHARE * usable_s
        warm = self._one(plan, ladder, WARM_UP_ROWS, 2 * timeout_s, must_end)
        if warm is None:
            return []
        points: list[Point] = []
        rows, next_s = min(FIRST_ROWS, work.fold_rows), warm[1] + warm[2]
        while next_s < self._budget.usable_s - (1 - PROBES_SHARE) * usable_s and rows <= work.fold_rows:
            point = self._one(plan, ladder, rows, timeout_s, must_end)
            if point is None:
                break
            points.append(point)
            paces = _paces(plan, points)
            whole_s = work.num_folds * paces.fit.seconds(work.fold_rows) + paces.closing_s(work)
            if len(points) > 1 and whole_s < SURE * usable_s:
                break
            rows, next_s = 2 * rows, GROWTH * (point[1] + point[2])
        # a pace that is too quick does no harm where rounds end by themselves: there the warm-up tells what is fixed
        is_useful = len(points) == 1 and ALGORITHMS[plan.algorithm].has_rounds and warm[0] < points[0][0]
        return [warm, *points] if not points or is_useful else points

    def _one(self, plan: Plan, ladder: Ladder, rows: int, timeout_s: float, must_end: MustEnd) -> Point | None:
        """Fit, keep and test the defaults on some rows of the first fold."""
        entry = entry_of(self._config, plan.algorithm)
        train, held = plan.divided.folds[0]
        keep = self._run.dir / "probe.tmp"
        request = messages.Fit(
            algorithm=plan.algorithm,
            params=entry.defaults,
            seed=seed_of(self._run.seed, "probe"),
            train=train,
            validation=held,
            keep=keep,
            time_s=timeout_s / 2,
            explain_s=0.0,
        )
        asked = LadderedFits(plan, self._child, ladder, seed=self._run.seed).sized(
            request, Size(cap=rows), polite_s=request.time_s
        )
        answer = self._child.ask(asked, timeout_s=timeout_s, must_end=must_end)
        keep.unlink(missing_ok=True)
        self._budget.note()
        if isinstance(answer, messages.Lost):
            return None
        done = (answer.num_rounds or 1) / entry.planned_rounds(entry.defaults) if answer.is_cut else 1.0
        return len(asked.train), answer.fit_s / done, answer.keep_s


def _paces(plan: Plan, points: list[Point]) -> Paces:
    fits = [(int(rows), fit_s) for rows, fit_s, _ in points]
    keeps = [(int(rows), keep_s) for rows, _, keep_s in points]
    if plan.algorithm in GROWING:
        keep = pace_of(keeps, power=1.0)
    else:
        keep = Pace(power=1.0, fixed_s=max(keep_s for _, keep_s in keeps), slope_s=0.0)
    return Paces(fit=pace_of(fits, power=power_of(plan.algorithm)), keep=keep)


def _known(file: Path, algorithm: str) -> list[Point]:
    """Return the points of an earlier attempt of this operation."""
    try:
        content = json.loads(file.read_text())
        points: list[Point] = [tuple(point) for point in content["points"]]
    except (OSError, ValueError, KeyError):
        return []
    return points if content["algorithm"] == algorithm else []
