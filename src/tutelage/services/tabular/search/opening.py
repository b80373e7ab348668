"""The search's beginning under a time limit: small fits are timed, and a model too heavy gives way to a lighter."""

from __future__ import annotations

from dataclasses import replace

from tutelage.core.ports import Run
from tutelage.services.tabular.budget import Budget
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.fitting.fits import FitChild, MustEnd
from tutelage.services.tabular.fitting.ladder import Ladder, lighter_than
from tutelage.services.tabular.models.algorithms import REGISTRY
from tutelage.services.tabular.plan import Plan
from tutelage.services.tabular.search.probing import Probe, work_of
from tutelage.services.tabular.search.shares import Paces, fold_rows, least_rows
from tutelage.services.tabular.search.timekeeper import Timekeeper


def open_search(
    config: TabularConfig, run: Run, plan: Plan, child: FitChild, budget: Budget, ladder: Ladder, must_end: MustEnd
) -> tuple[Plan, Timekeeper]:
    """Return the plan, of a lighter algorithm where the asked one does not fit the limit, and its timekeeper."""
    while True:
        paces = Probe(config, run, child, budget).measure(plan, ladder, must_end) if budget.is_limited else None
        keeper = Timekeeper(
            budget, work_of(plan), algorithm=plan.algorithm, paces=paces, fit_timeout_s=config.fit_timeout_s
        )
        lighter = lighter_than(plan.algorithm, plan.task)
        reason = _too_heavy(plan, paces, keeper) if budget.is_limited and not must_end() else ""
        if not reason or lighter is None:
            return plan, keeper
        ladder.record("model", plan.algorithm, lighter, at="search", reason=f"timeLimit: {reason}")
        plan = replace(plan, algorithm=lighter, fingerprint=f"{plan.fingerprint}-{lighter}")


def _too_heavy(plan: Plan, paces: Paces | None, keeper: Timekeeper) -> str:
    """Return why an algorithm cannot be searched in the time; what learns in rounds ends at any deadline."""
    if lighter_than(plan.algorithm, plan.task) is None:
        return ""
    if paces is None:
        return "a fit on few rows did not end in its share"
    least = least_rows(plan.algorithm, keeper.work.fold_rows)
    if REGISTRY[plan.algorithm].rounds is None and fold_rows(paces, keeper.work, keeper.budget.usable_s) < least:
        return f"a fold on {least} rows is expected to take {paces.fit.seconds(least):.3g} s"
    return ""
