"""The training: data, baseline, search, final fit, test, result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tutelage.core.commands import Verb
from tutelage.core.errors import InvalidSpec
from tutelage.core.ports import Run
from tutelage.services.tabular import approval
from tutelage.services.tabular.budget import CLOCK, Budget
from tutelage.services.tabular.catalog import CLASSIFICATION, CLUSTERING, REGRESSION, direction_of
from tutelage.services.tabular.conclusion import (
    conclude,
    final_question,
    release_question,
    untrained_result,
    with_gates,
)
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.fitting.fits import FitChild
from tutelage.services.tabular.fitting.ladder import Ladder
from tutelage.services.tabular.handoffs import take
from tutelage.services.tabular.plan import Plan, entry_of, make_plan
from tutelage.services.tabular.report.closing import Closing
from tutelage.services.tabular.report.final import fit_final
from tutelage.services.tabular.report.result import best_out_of_fold, package
from tutelage.services.tabular.search.asked import Waiting
from tutelage.services.tabular.search.opening import open_search
from tutelage.services.tabular.search.searcher import Searcher
from tutelage.services.tabular.search.state import Trial, saver
from tutelage.services.tabular.tracking import ask_for_export
from tutelage.settings import load_settings

TRIVIAL = {
    CLASSIFICATION: "class shares",
    REGRESSION: "mean of the target",
    CLUSTERING: "rows assigned at random",
}
"""What the trivial model of each task says."""


def train(config: TabularConfig, run: Run) -> Mapping[str, Any] | None:
    """Train and return the result document; None when paused or cancelled."""
    started_s = time.monotonic()
    budget = Budget(limit_s=config.time_limit, file=run.dir / CLOCK)
    answered = approval.answer(run)
    if answered is not None and answered.over:
        return answered.result
    yes = answered.record if answered else None
    ask_for_export(config, run)
    run.phase("data")
    config = take(config, run)
    child = FitChild(home=load_settings().home, cpus=run.cpus, memory_gib=_memory_gib(config, run))
    try:
        plan = make_plan(config, run, child)
        if run.resume() is None:  # what an earlier attempt has found is always brought to an end
            budget.check_left("reading the data")
        child.obey(lambda: budget.hard_left_s)
        _tell_baseline(run, plan)
        return _search_and_finish(config, run, plan, child, budget, started_s, yes=yes)
    finally:
        child.close()


def _memory_gib(config: TabularConfig, run: Run) -> float:
    if config.memory_limit is not None and config.memory_limit > run.memory_gib:
        raise InvalidSpec(
            f"memoryLimit {config.memory_limit:g} is over resources.memory_gib {run.memory_gib:g}",
            hint="raise resources.memory_gib, or lower memoryLimit",
        )
    return config.memory_limit or run.memory_gib


def _tell_baseline(run: Run, plan: Plan) -> None:
    """Declare the objective with the trivial model's score, measured on the very folds of the search."""
    run.phase("baseline")
    objective, name = plan.objective, TRIVIAL[plan.task]
    run.define(f"{objective}_std", unit="")
    run.define(f"{objective}_error", unit="")
    run.define(f"best_{objective}", direction=direction_of(objective))
    run.define(f"baseline_{objective}")
    error = f"{objective}_error"
    run.define(objective, objective=True, baseline=plan.baseline, baseline_name=name, error=error)
    run.metric(0, {f"baseline_{objective}": plan.baseline})
    run.log(f"baseline ({name}): {objective} {plan.baseline:.5g}")


def _search_and_finish(
    config: TabularConfig,
    run: Run,
    plan: Plan,
    child: FitChild,
    budget: Budget,
    started_s: float,
    *,
    yes: dict[str, Any] | None,
) -> Mapping[str, Any] | None:
    run.phase("search")
    ladder, waiting = Ladder(run), Waiting(run)
    plan, keeper = open_search(config, run, plan, child, budget, ladder, waiting.must_end)
    searcher = Searcher(config, run, plan, child, started_s=started_s, keeper=keeper, ladder=ladder)
    state, asked = searcher.state, searcher.asked
    state.approval = yes or state.approval
    waiting.hand_over(asked)
    searcher.run_trials()
    if asked.ending in (Verb.PAUSE, Verb.CANCEL):
        _leave(searcher)
        return None
    if asked.ending is Verb.STOP:
        state.stopped = True
        asked.answer(step=searcher.checkpoint(), detail=f"search ended after {len(state.trials)} trials")
    asked.finishing = True
    chosen = state.best or state.current or _defaults(config, plan)
    if _waits(config, approval.FINAL) and state.approval is None:
        refused = with_gates(config, run, untrained_result(config, run, plan, state, chosen))
        _ask(config, run, searcher, final_question(plan, state, chosen), refused)
        return None
    ended: dict[str, Any] = {"final_rounds": state.final_rounds, "on_ended": searcher.end_final}
    closing = Closing(config, run, plan, child, asked, keeper=keeper, ladder=ladder, chosen=chosen, **ended)
    if searcher.lost_to:
        closing.go_lighter(searcher.lost_to)
    final = fit_final(config, run, plan, closing, child, asked, out_of_fold=best_out_of_fold(plan, state))
    if final is None:
        _leave(searcher)
        return None
    run.phase("evaluate")
    searcher.note_time(searching=False)
    packed = package(
        config, run, plan, state, final, chosen, child=child, ladder=ladder, deadline_s=budget.extras_deadline_s
    )
    result = conclude(config, run, plan, final, packed, deadline_s=budget.deadline_s)
    budget.note(at_once=True)
    run.progress(len(state.trials), len(state.trials), message="finished")
    if _waits(config, approval.RELEASE):
        _ask(config, run, searcher, release_question(result), result)
        return None
    return {**result, **({"approval": state.approval} if state.approval else {})}


def _waits(config: TabularConfig, step: str) -> bool:
    return config.approval is not None and config.approval.before == step


def _ask(config: TabularConfig, run: Run, searcher: Searcher, text: str, result: Mapping[str, Any]) -> None:
    """Ask for an approval with everything kept; the attempt ends with None."""
    assert config.approval is not None
    state = searcher.state
    metrics = {result["metadata"]["objective"]: state.best.value} if state.best and state.best.value is not None else {}
    step, save = searcher.checkpoint(), saver(state, None)
    approval.ask(run, config.approval, text=text, step=step, save=save, metrics=metrics, result=result)


def _leave(searcher: Searcher) -> None:
    """Checkpoint and answer; the worker records the state."""
    searcher.asked.answer(step=searcher.checkpoint())


def _defaults(config: TabularConfig, plan: Plan) -> Trial:
    """Return the trial that was stopped before its first fold."""
    return Trial(number=0, params=dict(entry_of(config, plan.algorithm).defaults))
