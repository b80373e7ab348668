"""`tabular`: trains a model on a table, with search, cross-validation and a held-out test."""

from __future__ import annotations

from tutelage.core.service import Service, Tunable
from tutelage.services.tabular.catalog import GLOSSARY

SERVICE = Service(
    name="tabular",
    about="trains classifiers and regressors on tables, and finds clusters: search, cross-validation, held-out test",
    unit="trial",
    scopes={"trial": "fold", "fold": "round", "final": "round", "refit": "round"},
    judged=("final",),
    config="tutelage.services.tabular.config:TabularConfig",
    train="tutelage.services.tabular.train:train",
    use="tutelage.services.tabular.use:use",
    read="tutelage.services.tabular.documents:read",
    inspect="tutelage.services.tabular.inspect:inspect",
    failure="tutelage.services.tabular.failure:failure_document",
    supports=frozenset({"checkpoint", "branch", "tune"}),
    tunables=(
        Tunable("n_trials", int, 1, 100_000, about="trials of the search, finished ones included"),
        Tunable("timeout", float, 1, 10_000_000, about="seconds of search, those already spent included"),
        Tunable("space.*.low", float, -1e12, 1e12, about="least value that is searched, from the next trial on"),
        Tunable("space.*.high", float, -1e12, 1e12, about="greatest value that is searched, from the next trial on"),
    ),
    metrics=GLOSSARY,
    presets={
        "quick": {"hyperparameterSearch": {"nTrials": 20, "sampler": "random", "pruner": "median"}},
        "production": {"hyperparameterSearch": {"nTrials": 100, "sampler": "tpe", "pruner": "median"}},
        "defaults": {"hyperparameterSearch": {"enabled": False}},
    },
)

__all__ = ["SERVICE"]
