"""Takes hand-offs into a job: each wish becomes an option unless the job gives it, or it does not fit the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from tutelage.core.atomic import write_json
from tutelage.core.errors import InvalidSpec, TutelageError
from tutelage.core.ports import Run
from tutelage.services.tabular import catalog
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.data.sources import read_table
from tutelage.services.tabular.data.target import Target, read_target, target_column
from tutelage.services.tabular.failure import HANDOFFS
from tutelage.services.tabular.handoffs.meanings import EXCLUDE, Change, changes_of
from tutelage.services.tabular.handoffs.read import MAX_UNRECOGNIZED, Wish, read_handoff

LISTS = (EXCLUDE, "categoricalFeatures")


@dataclass(kw_only=True)
class _Taking:
    """The job's document as it changes, and what became of each wish."""

    document: dict[str, Any]
    given: frozenset[str]
    columns: list[str]
    target: Target
    applied: list[dict[str, Any]] = field(default_factory=list)
    not_applied: list[dict[str, Any]] = field(default_factory=list)
    unrecognized: list[str] = field(default_factory=list)


def take(config: TabularConfig, run: Run) -> TabularConfig:
    """Return the job with its hand-offs applied; every attempt of an operation goes by what the first one took."""
    sources = _sources(config)
    if not sources:
        return config
    path = run.dir / HANDOFFS
    if not path.is_file():
        write_json(path, _take(config, sources))
    stored = json.loads(path.read_text())
    if run.attempt == 1:
        _tell(run, stored)
    taken: TabularConfig = TabularConfig.model_validate(stored["config"])
    return taken


def recorded(run: Run) -> dict[str, Any]:
    """Return `applied` and `notApplied` for the result's metadata; nothing where there was no hand-off."""
    try:
        stored = json.loads((run.dir / HANDOFFS).read_text())
    except FileNotFoundError:
        return {}
    return {name: stored[name] for name in ("applied", "notApplied")}


def _sources(config: TabularConfig) -> dict[str, Any]:
    given = {
        "edaDocument": config.eda_document or config.eda_document_path,
        "evaluatorFeedback": config.evaluator_feedback or config.evaluator_feedback_path,
    }
    return {name: content for name, content in given.items() if content}


def _take(config: TabularConfig, sources: Mapping[str, Any]) -> dict[str, Any]:
    frame = read_table(config.train_data_path).frame
    taking = _Taking(
        document=config.model_dump(mode="json", by_alias=True),
        given=frozenset(config.given_keys or ()),
        columns=[str(name) for name in frame.columns],
        target=read_target(target_column(frame, config.target), model_type=config.model_type),
    )
    for source, content in sources.items():
        handoff = read_handoff(source, content)
        taking.unrecognized += handoff.unrecognized
        for wish in handoff.wishes:
            _follow(taking, wish, config)
    listed = [*config.unrecognized, *taking.unrecognized][:MAX_UNRECOGNIZED]
    document = {**taking.document, "unrecognized": listed}
    return {
        "config": document,
        "applied": taking.applied,
        "notApplied": taking.not_applied,
        "unrecognized": listed,
    }


def _follow(taking: _Taking, wish: Wish, config: TabularConfig) -> None:
    changes = changes_of(wish, config, taking.columns)
    if changes is None:
        taking.unrecognized.append(f"{wish.source}: {wish.says}")
        return
    for change in changes:
        entry = {"source": wish.source, "says": wish.says, "option": change.option, "value": change.value}
        why = _refusal(taking, change)
        if why:
            taking.not_applied.append({**entry, "why": why})
        else:
            taking.applied.append(entry)


def _refusal(taking: _Taking, change: Change) -> str:
    """Make a change, or return why it is not made."""
    if change.option in taking.given:
        return "the job gives this itself"
    why = _unfit_column(taking, change) if change.option in LISTS else _unfit(taking.target, change)
    if why:
        return why
    changed = _with(taking.document, change)
    try:
        config = TabularConfig.model_validate(changed)
        _check_fits(config, taking)
    except ValidationError as error:
        return str(error.errors()[0]["msg"])
    except TutelageError as error:
        return error.message
    taking.document = changed
    return ""


def _check_fits(config: TabularConfig, taking: _Taking) -> None:
    """Refuse what would fail later: every column left out."""
    left_out = {config.target, config.group_column, *config.exclude_features}
    if config.features is None and not set(taking.columns) - left_out:
        raise InvalidSpec("no column would be left to learn from")


def _unfit_column(taking: _Taking, change: Change) -> str:
    name = change.value
    if name not in taking.columns:
        return "the table has no such column"
    if name in (taking.document.get("features") or []) and change.option == EXCLUDE:
        return "the job lists it in 'features'"
    if name in taking.document[change.option]:
        return "it is listed already"
    return ""


def _unfit(target: Target, change: Change) -> str:
    """Return why an option does not suit the target."""
    has_classes = target.task == catalog.CLASSIFICATION
    if change.option in ("classWeight", "validationStrategy.type") and not has_classes:
        return "it needs classes, and the target holds numbers"
    if change.option == "optimizeFor" and len(target.classes) != 2:
        return "a threshold needs two classes"
    if change.option == "metric" and change.value not in [item.name for item in catalog.SCORES[target.task]]:
        return f"it is no metric of {target.task}"
    if change.option == "modelType" and change.value != target.task:
        return f"the target asks for {target.task}"
    if change.option == "algorithm":
        known = catalog.ALGORITHMS.get(str(change.value))
        if known and target.task not in known.tasks:
            return f"it does not do {target.task}"
    return ""


def _with(document: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """Return the document with an option changed; a dotted one stands inside a part."""
    if change.option in LISTS:
        return {**document, change.option: [*document[change.option], change.value]}
    outer, _, inner = change.option.partition(".")
    if not inner:
        return {**document, outer: change.value}
    return {**document, outer: {**document[outer], inner: change.value}}


def _tell(run: Run, stored: Mapping[str, Any]) -> None:
    for entry in stored["applied"]:
        run.log(f"{entry['source']}: {entry['option']} = {entry['value']}")
    for entry in stored["notApplied"]:
        run.log(
            f"{entry['source']}: {entry['option']} = {entry['value']} is not applied: {entry['why']}", level="warning"
        )
