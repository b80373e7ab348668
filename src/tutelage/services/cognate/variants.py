"""Several models in one operation: one after the other, each in a scope of its own; one that fails stops no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.core.errors import TrainingError, TutelageError
from tutelage.core.ports import Run
from tutelage.services.cognate.ablation import ablation_table
from tutelage.services.cognate.artifacts import Shelf, write_json
from tutelage.services.cognate.config import CognateConfig
from tutelage.services.cognate.model_run import ModelRun, Place
from tutelage.services.cognate.prepare import Prepared, data_key, prepare
from tutelage.services.cognate.pretraining import pretrain

TABLE = "models.json"


def train_several(config: CognateConfig, run: Run) -> dict[str, Any] | None:
    """Train every model; None where the operation was paused or cancelled. Raises TrainingError where all failed."""
    lengths = [config.variant(name).max_steps for name in config.names]
    run.judge(*(f"model={name}" for name in config.names), until=lengths[0] if len(set(lengths)) == 1 else None)
    place = Place.read(run.resume())
    total = sum(lengths)
    shared: dict[str, Prepared] = {}
    for name in config.names[place.number :]:
        at = ModelRun(run, name=name, place=place, seed=seed_of_model(config, name, run.seed), total_steps=total)
        result = _train_one(config, config.variant(name), at, shared)
        if result is None:
            return None
        place = place.after(name, result, last_step=at.last_step)
        if result.get("ended_by") == "stop":
            break
    return _conclude(config, run, place.results)


def seed_of_model(config: CognateConfig, name: str, seed: int) -> int:
    """Return a model's seed: the operation's, and the next ones for further models without settings of their own."""
    equal = [each for each in config.names if not config.variants.get(each)]
    return seed + (equal.index(name) if name in equal else 0)


def _train_one(
    config: CognateConfig, variant: CognateConfig, at: ModelRun, shared: dict[str, Prepared]
) -> dict[str, Any] | None:
    """Train one model; a failure becomes its result. Models with the same data settings share what is prepared."""
    key = data_key(variant)
    try:
        if key not in shared:
            own_folder = "" if key == data_key(config) else at.name
            shared[key] = prepare(variant, at, seed=at.data_seed, folder=own_folder)
        at.log(f"model {at.name} begins")
        return pretrain(variant, at, shared[key], scope=f"model={at.name}", folder=at.name)
    except Exception as error:  # noqa: BLE001  the edge of one of several trainings: it is recorded, the others go on
        code = error.code if isinstance(error, TutelageError) else TrainingError.code
        at.log(f"model {at.name} failed: {error}", level="error")
        return {"success": False, "error": {"code": code, "message": str(error)[:2000]}}


def _conclude(config: CognateConfig, run: Run, results: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    trained = {name: result for name, result in results.items() if result["success"]}
    if not trained:
        reasons = "; ".join(f"{name}: {result['error']['message']}" for name, result in results.items())
        raise TrainingError(f"every model failed: {reasons}", hint="correct what they have in common")
    table = ablation_table(config, results)
    write_json(Shelf(run=run), TABLE, {"models": table.rows})
    run.artifact("models.md").write_text(table.markdown, encoding="utf-8")
    best = min(trained, key=lambda name: trained[name]["validation"]["val_bits_per_byte"])
    return {
        "success": True,
        "modelPath": trained[best]["modelPath"],
        "best_model": best,
        "failed_models": sorted(set(results) - set(trained)),
        "untrained_models": [name for name in config.names if name not in results],
        "table": table.rows,
        "models": dict(results),
    }
