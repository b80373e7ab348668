"""The table from what hand-offs say to options of the job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.documents import phrase_options
from tutelage.services.tabular.handoffs.read import Wish

EXCLUDE, CATEGORICAL = "excludeFeatures", "categoricalFeatures"
EARLY_ROUNDS, MORE_FOLDS, MORE_TRIALS = 20, 10, 2


@dataclass(frozen=True, kw_only=True)
class Change:
    """An option and its new value; for lists of columns, a column to add."""

    option: str
    value: Any


MEANINGS: Mapping[str, tuple[str, ...]] = {
    "exclude": (
        *("drop", "remove", "exclude", "ignore", "drop_column", "drop_columns", "drop_feature", "remove_feature"),
        *("leak", "leakage", "target_leakage", "data_leakage", "leak_suspect", "identifier", "id", "constant"),
    ),
    "categorical": ("categorical", "treat_as_categorical", "as_categorical", "one_hot", "one_hot_encode", "nominal"),
    "balance": ("class_imbalance", "imbalance", "imbalanced", "balance_classes", "class_weight"),
    "recall": ("low_recall", "false_negatives", "optimize_recall"),
    "precision": ("low_precision", "false_positives", "optimize_precision"),
    "more_trials": ("more_trials", "underfitting", "search_longer"),
    "early_stopping": ("overfitting", "early_stopping"),
    "more_folds": ("unstable_folds", "more_folds"),
    "stratify": ("stratify", "stratified"),
    "metric": ("metric", "use_metric", "optimize_metric"),
    "algorithm": ("algorithm", "use_algorithm", "try_algorithm", "switch_algorithm"),
    "nothing": ("keep", "use", "none", "ok", "no_action", "numeric", "numerical", "datetime", "text", "boolean"),
}
"""What is meant -> the codes that say it. `nothing` asks for nothing: kinds of columns are found by themselves."""

COLUMN_PHRASES = (
    (EXCLUDE, re.compile(r"\b(?:drop|remove|exclude|ignore)\b\s+(?:the\s+)?(?:columns?|features?)?\s*(.+)", re.I)),
    (CATEGORICAL, re.compile(r"\btreat\s+(?:the\s+)?(?:columns?|features?)?\s*(.+?)\s+as\s+(?:a\s+)?categor", re.I)),
)
SEPARATOR = re.compile(r"\s*(?:,|\band\b)\s*")


def changes_of(wish: Wish, config: TabularConfig, columns: list[str]) -> list[Change] | None:
    """Return what a wish changes, an empty list where it asks for nothing, None where it is not understood."""
    for code in wish.code.split("|"):
        meaning = next((name for name, codes in MEANINGS.items() if code in codes), None)
        found = _by_meaning(meaning, wish, config) if meaning else None
        if found is not None:
            return found
    return _by_text(wish.text, columns) if wish.text else None


def _by_meaning(meaning: str, wish: Wish, config: TabularConfig) -> list[Change] | None:
    """Return the changes of one meaning, None where it lacks the column or value that it needs."""
    if meaning in ("exclude", "categorical"):
        option = EXCLUDE if meaning == "exclude" else CATEGORICAL
        return [Change(option=option, value=name) for name in wish.columns] or None
    if meaning in ("metric", "algorithm"):
        return [Change(option=meaning, value=wish.value)] if isinstance(wish.value, str) else None
    if meaning == "nothing":
        return []
    trials = min(100_000, MORE_TRIALS * config.hyperparameter_search.n_trials)
    fixed: dict[str, Change] = {
        "balance": Change(option="classWeight", value="balanced"),
        "recall": Change(option="optimizeFor", value="recall"),
        "precision": Change(option="optimizeFor", value="precision"),
        "more_trials": Change(option="hyperparameterSearch.nTrials", value=trials),
        "early_stopping": Change(option="options.earlyStoppingRounds", value=EARLY_ROUNDS),
        "more_folds": Change(option="validationStrategy.folds", value=MORE_FOLDS),
        "stratify": Change(option="validationStrategy.type", value="stratified_kfold"),
    }
    return [fixed[meaning]]


def _by_text(text: str, columns: list[str]) -> list[Change] | None:
    """Return what a text asks for: columns by name, and the phrases of an agent's call."""
    found: list[Change] = []
    for option, pattern in COLUMN_PHRASES:
        match = pattern.search(text)
        names = [part.strip(" '\"`") for part in SEPARATOR.split(match[1])] if match else []
        found += [Change(option=option, value=name) for name in names if name in columns]
    for key, value in phrase_options(text).items():
        if isinstance(value, Mapping):
            found += [Change(option=f"{key}.{inner}", value=item) for inner, item in value.items()]
        else:
            found.append(Change(option=key, value=value))
    return found or None
