"""Times small fits before committing, on 1,000 rows, 2,000, ...; the paces are kept in the operation's folder."""

from __future__ import annotations

import json
from pathlib import Path

from tutelage.core.atomic import write_json
from tutelage.core.ports import Run
from tutelage.services.tabular.budget import Budget
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.fits import FitChild, MustEnd
from tutelage.services.tabular.fitting.ladder import Ladder
from tutelage.services.tabular.fitting.laddered import LadderedFits, Size
from tutelage.services.tabular.fitting.pace import pace_of, power_of
from tutelage.services.tabular.plan import Plan, entry_of, seed_of
from tutelage.services.tabular.search.shares import Paces, Work

FIRST_ROWS = 1_000
PROBE_SHARE, ONE_PROBE_SHARE = 0.15, 0.08
"""Of the usable time: what all probes may take, and what the next one may be expected to take."""

SURE = 0.3
"""No further probe where everything is expected to take less than this share of the usable time."""

EXPLAIN_SHARE = 0.04
PACE = "pace.json"


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

    def _points(self, plan: Plan, ladder: Ladder, must_end: MustEnd) -> list[list[float]]:
        """Return [rows, seconds of the fit, seconds of keeping] of each probe."""
        work, usable_s = work_of(plan), self._budget.usable_s
        points: list[list[float]] = []
        rows = min(FIRST_ROWS, work.fold_rows)
        while True:
            point = self._one(plan, ladder, rows, PROBE_SHARE * usable_s, must_end)
            if point is None:
                return points
            points.append(point)
            paces = _paces(plan, points)
            whole_s = work.num_folds * paces.fit.seconds(work.fold_rows) + paces.closing_s(work)
            spent_s = usable_s - self._budget.usable_s
            rows *= 2
            next_s = paces.fit.seconds(rows) + paces.keep.seconds(rows)
            is_known = len(points) > 1 and whole_s < SURE * usable_s
            if is_known or rows > work.fold_rows or next_s > min(ONE_PROBE_SHARE * usable_s, usable_s - spent_s):
                return points

    def _one(self, plan: Plan, ladder: Ladder, rows: int, timeout_s: float, must_end: MustEnd) -> list[float] | None:
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
            explain_s=EXPLAIN_SHARE * (self._budget.limit_s or 0.0),
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
        return [len(asked.train), answer.fit_s / done, answer.keep_s]


def _paces(plan: Plan, points: list[list[float]]) -> Paces:
    power = power_of(plan.algorithm)
    return Paces(
        fit=pace_of([(int(rows), fit_s) for rows, fit_s, _ in points], power=power),
        keep=pace_of([(int(rows), keep_s) for rows, _, keep_s in points], power=1.0),
    )


def _known(file: Path, algorithm: str) -> list[list[float]]:
    """Return the points of an earlier attempt of this operation."""
    try:
        content = json.loads(file.read_text())
        points: list[list[float]] = content["points"]
    except (OSError, ValueError, KeyError):
        return []
    return points if content["algorithm"] == algorithm else []
