"""What is measured on the kept model: importance with intervals, speed, size, importance of parameters, exports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutelage.core.atomic import write_json
from tutelage.services.tabular.catalog import CLUSTERING, direction_of
from tutelage.services.tabular.models.algorithms import REGISTRY, Algorithm
from tutelage.services.tabular.plan import Plan, seed_of
from tutelage.services.tabular.report.curves import PLOTS
from tutelage.services.tabular.report.extras import KEPT, Extras
from tutelage.services.tabular.report.final import Final
from tutelage.services.tabular.report.param_importance import why_not
from tutelage.services.tabular.search.state import COMPLETE, State
from tutelage.services.tabular.search.study import distribution

if TYPE_CHECKING:
    from tutelage.services.tabular.models.permutation import Permuted

PERMUTATION_S, REPEATS, MAX_ROWS = 2.0, 10, 2000
LATENCY_S, TIMED_ROWS = 1.0, 100
GRACE_S = 15.0
"""Beyond its budget of time, what a request may take to load the model and to finish one prediction."""

FANOVA = "tutelage.services.tabular.report.param_importance:param_importance"
EXPORT_S = 120.0
IMPORTANCE = "feature_importance.json"


def time_model(extras: Extras, plan: Plan, model: Path) -> dict[str, float]:
    """Return `row_ms_p50`, `row_ms_p95` and `rows_per_s` of the kept model; nothing where the timing was skipped."""
    arguments = {"model": model, "sample": plan.sample, "max_rows": TIMED_ROWS, "budget_s": LATENCY_S}
    timeout_s = LATENCY_S + GRACE_S
    found = extras.ask(f"{KEPT}:latency", arguments, what="latency", needs_s=LATENCY_S, timeout_s=timeout_s)
    return {name: value for name, value in (found or {}).items() if name != "num_rows"}


def explain(extras: Extras, plan: Plan, final: Final, model: Path, *, seed: int) -> Permuted | None:
    """Write `feature_importance.json` and its plot; the model's own weights are there whatever happens."""
    method = REGISTRY[final.algorithm].importance
    own = {"method": method, "unit": "share of the whole", "importance": final.kept.importance}
    arguments = {
        "model": model,
        "objective": plan.objective,
        "repeats": REPEATS,
        "max_rows": MAX_ROWS,
        "seed": seed_of(seed, "permutation"),
        "budget_s": PERMUTATION_S,
    }
    what, limits = "permutation importance", {"needs_s": PERMUTATION_S, "timeout_s": 2 * PERMUTATION_S + GRACE_S}
    found: Permuted | None = None
    known = set(extras.skipped)
    if plan.task == CLUSTERING:
        extras.skipped[what] = "clusters have no truth whose loss could be measured"
    else:
        found = extras.ask(f"{KEPT}:permutation", arguments, what=what, **limits)
    if found is None and what not in set(extras.skipped) - known:
        extras.skip(what, f"the model predicts too slowly for 5 repeats in {PERMUTATION_S:g} s")
    document = own if found is None else {**own, **_permuted(plan, found)}
    write_json(extras.run.artifact(IMPORTANCE), document)
    extras.names.append(IMPORTANCE)
    if found is not None:
        extras.draw("feature_importance.png", f"{PLOTS}.weights:draw_feature_importance", _bars(plan, final, found))
    return found


def _permuted(plan: Plan, found: Any) -> dict[str, Any]:
    return {
        "permutation_unit": f"loss of {plan.objective} on test rows when the column's values are shuffled",
        "permutation": found.columns,
        "repeats": found.repeats,
        "rows": found.rows,
    }


def _bars(plan: Plan, final: Final, found: Any) -> dict[str, Any]:
    method = REGISTRY[final.algorithm].importance
    own = None if method == Algorithm.importance else method
    shares = final.kept.importance
    columns = [{"name": name, "own": shares.get(name, 0.0), **item} for name, item in found.columns.items()]
    worse = "loss" if direction_of(plan.objective) == "maximize" else "rise"
    return {
        "about": f"{final.algorithm}, {found.rows:,} test rows, {found.repeats} repeats, {len(columns)} columns",
        "label": f"{worse} of {plan.objective}",
        "own": own,
        "columns": columns,
    }


def explain_search(extras: Extras, plan: Plan, state: State, space: Any, *, seed: int) -> None:
    """Write `param_importance.json` and its plot, where enough trials are complete."""
    name = "param_importance.json"
    points = [(trial.params, trial.value) for trial in state.trials if trial.state == COMPLETE]
    known = [(params, value) for params, value in points if value is not None]
    reason = why_not(known)
    if reason:
        extras.skipped[name] = reason
        return
    arguments = {
        "distributions": {key: distribution(item) for key, item in space.items()},
        "points": known,
        "direction": direction_of(plan.objective),
        "seed": seed_of(seed, "fanova"),
    }
    shares = extras.ask(FANOVA, arguments, what=name, needs_s=2.0, timeout_s=30.0)
    if shares is None:
        return
    document = {"method": "fANOVA", "unit": "share of the variance", "trials": len(known), "importance": shares}
    write_json(extras.run.artifact(name), document)
    extras.names.append(name)
    data = {"about": f"{plan.algorithm}, {len(known)} complete trials, {plan.objective}", "importance": shares}
    extras.draw("param_importance.png", f"{PLOTS}.weights:draw_param_importance", data)


def export(extras: Extras, formats: list[str], model: Path) -> None:
    """Write the model in each format that was asked for, and `exports.json` with what was verified."""
    documents: dict[str, Any] = {}
    for format in formats:
        file = f"model.{format}"
        arguments = {"model": model, "to": extras.unnamed(file), "format": format}
        done = extras.ask(f"{KEPT}:exported", arguments, what=file, needs_s=3.0, timeout_s=EXPORT_S)
        if done is None or done.reason:
            extras.drop(file)
            if done is not None:
                extras.skip(file, done.reason)
            continue
        extras.keep(file)
        documents[format] = {"file": file, **done.facts}
    if documents:
        write_json(extras.run.artifact("exports.json"), documents)
        extras.names.append("exports.json")
