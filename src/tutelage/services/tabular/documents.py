"""Reads `tabular`'s own document forms: the job document, and an agent's call. Imports no ML library."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tutelage.core.errors import InvalidSpec, unknown
from tutelage.core.spec import Spec

JOB_TASK = "train_model"
SPEC_KEYS = frozenset(Spec.model_fields) - {"service", "config"}
"""Keys of the spec that a job document may carry beside the config's own."""

CONTEXT = {"dataPath": "trainDataPath", "target": "targetColumn"}
REQUIREMENT = "businessRequirement"

Options = dict[str, Any]
PHRASES: tuple[tuple[str, Callable[[re.Match[str]], Options]], ...] = (
    (r"false negatives?", lambda found: {"optimizeFor": "recall"}),
    (r"false positives?", lambda found: {"optimizeFor": "precision"}),
    (r"^(?!.*(?:smote|sampl)).*imbalanced?\b", lambda found: {"classWeight": "balanced"}),
    (r"(?:mlflow|experiment tracking)", lambda found: {"experimentTracking": {"enabled": True}}),
    (r"(\d+)[- ]folds?\b", lambda found: {"validationStrategy": {"folds": int(found[1])}}),
    (r"stratified", lambda found: {"validationStrategy": {"type": "stratified_kfold"}}),
    (r"(\d+) trials?\b", lambda found: {"hyperparameterSearch": {"nTrials": int(found[1])}}),
    (r"random forest", lambda found: {"algorithm": "random_forest"}),
    (r"extra[- ]trees", lambda found: {"algorithm": "extra_trees"}),
    (r"light ?gbm", lambda found: {"algorithm": "lightgbm"}),
    (r"xg ?boost", lambda found: {"algorithm": "xgboost"}),
    (r"cat ?boost", lambda found: {"algorithm": "catboost"}),
    (r"(?<!hist )gradient boosting", lambda found: {"algorithm": "gradient_boosting"}),
    (r"hist gradient boosting", lambda found: {"algorithm": "hist_gradient_boosting"}),
    (r"\b(?:svm|support vector)", lambda found: {"algorithm": "svm"}),
    (r"\b(?:k-?nn|nearest neighbou?rs?)\b", lambda found: {"algorithm": "knn"}),
    (r"naive bayes", lambda found: {"algorithm": "naive_bayes", "modelType": "classification"}),
    (r"\b(?:mlp|neural net(?:work)?)\b", lambda found: {"algorithm": "neural_network"}),
    (r"\blinear regression\b", lambda found: {"algorithm": "linear_regression", "modelType": "regression"}),
    (r"\blasso\b", lambda found: {"algorithm": "lasso", "modelType": "regression"}),
    (r"\belastic[- ]?net\b", lambda found: {"algorithm": "elastic_net", "modelType": "regression"}),
    (r"logistic regression", lambda found: {"algorithm": "logistic_regression", "modelType": "classification"}),
    (r"\bk-?means\b", lambda found: {"algorithm": "kmeans", "modelType": "clustering"}),
    (r"\bdbscan\b", lambda found: {"algorithm": "dbscan", "modelType": "clustering"}),
    (r"\bclustering\b|\bfind (?:\w+ )?(?:clusters|segments|groups)\b", lambda found: {"modelType": "clustering"}),
    (r"\bsmote\b", lambda found: {"resampling": {"type": "smote"}}),
    (r"\boversampl(?:e|ing)\b", lambda found: {"resampling": {"type": "oversample"}}),
    (r"\bundersampl(?:e|ing)\b", lambda found: {"resampling": {"type": "undersample"}}),
    (r"\bcalibrated?\b", lambda found: {"calibration": "sigmoid"}),
    (r"\bridge\b", lambda found: {"algorithm": "ridge", "modelType": "regression"}),
    (r"\bclassif(?:y|ier|ication)\b", lambda found: {"modelType": "classification"}),
    (r"(?<!logistic )\bregression\b", lambda found: {"modelType": "regression"}),
    (r"\broc[ _-]?auc\b", lambda found: {"metric": "roc_auc"}),
    (r"\blog[ _-]?loss\b", lambda found: {"metric": "log_loss"}),
    (r"\brmse\b", lambda found: {"metric": "rmse"}),
)
"""The fixed table of phrases of an agent's call; a phrase (a clause of the text) without any of these is reported."""


def read(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the spec that a document of ours asks for, or None for a document of another kind."""
    if document.get("kind") == "agent" and "agent" in document:
        return {"service": "tabular", "config": _agent_config(document)}
    if "service" in document:
        return None
    task = document.get("task")
    if task == JOB_TASK or (task is None and {"trainDataPath", "train_data_path"} & set(document)):
        return _job(document)
    if {"modelType", "trainDataPath", "train_data_path"} & set(document):
        raise unknown("task", str(task), [JOB_TASK])
    return None


def _job(document: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in document.items() if key != "task"}
    outer = {key: given.pop(key) for key in list(given) if key in SPEC_KEYS}
    return {"service": "tabular", **outer, "config": given}


def _agent_config(document: Mapping[str, Any]) -> Options:
    """Map an agent's call to a config; what is not understood is listed in `unrecognized`."""
    agent = _mapping(document, "agent")
    prompt = _mapping(agent, "prompt")
    context = _mapping(prompt, "context")
    config: Options = {}
    left = [f"{key}: {value}" for key, value in context.items() if key not in (*CONTEXT, REQUIREMENT)]
    for key, option in CONTEXT.items():
        if key in context:
            config[option] = context[key]
    for text in _texts(prompt, context):
        for phrase in filter(None, (part.strip() for part in re.split(r"[.;\n]|, ", text))):
            if not _apply(phrase, config):
                left.append(phrase)
    return {**config, "unrecognized": [phrase[:200] for phrase in left[:50]]}


def _mapping(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key, {})
    if not isinstance(value, Mapping):
        raise InvalidSpec(f"{key!r} of the agent's call must be an object, got {type(value).__name__}")
    return value


def _texts(prompt: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[str]:
    instructions = prompt.get("instructions") or []
    for text in (prompt.get("task"), context.get(REQUIREMENT), *_as_list(instructions)):
        if text:
            yield str(text)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _apply(phrase: str, config: Options) -> bool:
    """Enter what a phrase asks for into `config`; False where no phrase of the table is in it."""
    options = phrase_options(phrase)
    for key, value in options.items():
        config[key] = {**config.get(key, {}), **value} if isinstance(value, dict) else value
    return bool(options)


def phrase_options(phrase: str) -> Options:
    """Return what the table's phrases in a text ask for; nothing where none of them is in it."""
    options: Options = {}
    for pattern, option in PHRASES:
        found = re.search(pattern, phrase, re.IGNORECASE)
        for key, value in option(found).items() if found else ():
            options[key] = {**options.get(key, {}), **value} if isinstance(value, dict) else value
    return options
