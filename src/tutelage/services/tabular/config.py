"""The config of `tabular`: the job document's keys, in camelCase or snake_case; no ML library is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

from tutelage.core.errors import InvalidSpec, MissingDependency, NotYet, unknown
from tutelage.core.paths import SCHEME
from tutelage.core.spec import Document
from tutelage.services.tabular import catalog
from tutelage.services.tabular.algorithms import REGISTRY, with_space

SKLEARN_SETS = ("breast_cancer", "diabetes", "digits", "iris", "wine")
FIT_TIMEOUT_S = 600.0


class CamelDocument(Document):
    """A document whose keys are read in camelCase and in snake_case; an unknown key names its nearest match."""

    model_config = ConfigDict(alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, document: Any) -> Any:
        if not isinstance(document, Mapping):
            return document
        known = {to_camel(name): name for name in cls.model_fields}
        kept: dict[str, Any] = {}
        for key, value in document.items():
            camel = to_camel(key) if "_" in key else key
            if camel in known:
                if known[camel] in kept:
                    raise InvalidSpec(f"{camel!r} is given twice, in camelCase and in snake_case", hint="keep one")
                kept[known[camel]] = value
            else:
                _refuse_key(camel, value, known)
        return kept


def _refuse_key(key: str, value: Any, known: Mapping[str, str]) -> None:
    """Raise for a key that is not built or not known; a planned one that asks for nothing passes."""
    if key not in catalog.PLANNED["key"]:
        raise unknown("key", key, known)
    if value not in (None, False, [], {}):
        raise NotYet(f"{key!r} is not built yet", hint="leave it out")


class Validation(CamelDocument):
    """How the training rows are divided for cross-validation."""

    type: str | None = Field(
        None,
        description=f"{', '.join(catalog.STRATEGIES)}; default: by groupColumn or timeColumn, else stratified or kfold",
    )
    folds: int | None = Field(None, ge=2, le=50, description="number of folds; default 5, not for loo")
    repeats: int | None = Field(None, ge=2, le=50, description="how often `repeated` divides anew; default 3")
    shuffle: bool | None = Field(
        None, description="shuffle the rows first, by the spec's seed; default true, not for loo and timeseries"
    )

    @property
    def num_folds(self) -> int:
        """The number of folds of one division."""
        return self.folds or catalog.DEFAULT_FOLDS

    @field_validator("type")
    @classmethod
    def _strategy(cls, value: str | None) -> str | None:
        return value and catalog.resolve("validation strategy", value, catalog.STRATEGIES)

    @model_validator(mode="after")
    def _nothing_inert(self) -> Self:
        ordered = self.type in ("loo", "timeseries")
        refused = (
            ("repeats", self.repeats is not None and self.type != "repeated", "it belongs to repeated"),
            ("folds", self.folds is not None and self.type == "loo", "loo has a fold for every row"),
            ("shuffle", bool(self.shuffle) and ordered, f"{self.type} keeps the rows' order"),
            ("shuffle", self.shuffle is False and self.type == "repeated", "repeated shuffles each time"),
        )
        for key, is_inert, why in refused:
            if is_inert:
                raise InvalidSpec(f"'validationStrategy.{key}' has no meaning here: {why}", hint="leave it out")
        return self


class Range(CamelDocument):
    """The values of one parameter in the search: bounds, or choices."""

    low: float | None = Field(None, description="least value, included; default the algorithm's own")
    high: float | None = Field(None, description="greatest value, included; default the algorithm's own")
    log: bool | None = Field(None, description="search on a logarithmic scale; default the algorithm's own")
    choices: list[float | int | str] | None = Field(None, min_length=1, description="the values, instead of bounds")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        bounds = (self.low, self.high, self.log)
        if (self.choices is None) == all(item is None for item in bounds):
            raise InvalidSpec("give bounds or choices", hint='{"low": 0.01, "high": 0.3} or {"choices": [4, 6]}')
        return self


class Search(CamelDocument):
    """The search for hyperparameters; trial 0 is the algorithm's defaults."""

    enabled: bool = Field(True, description="false: the defaults are the only trial")
    n_trials: int = Field(30, ge=1, le=100_000, description="number of trials, lost ones included")
    timeout: float | None = Field(None, gt=0, description="seconds of search after which no further trial starts")
    sampler: str = Field("tpe", description=", ".join(catalog.SAMPLERS))
    pruner: str = Field("median", description=f"what ends a bad trial after a fold: {', '.join(catalog.PRUNERS)}")
    space: dict[str, Range] = Field(
        default_factory=dict, description="parameter -> {low, high, log} or {choices} instead of the algorithm's own"
    )

    @field_validator("sampler")
    @classmethod
    def _sampler(cls, value: str) -> str:
        found = catalog.resolve("sampler", value, catalog.SAMPLERS)
        module = catalog.SAMPLER_NEEDS.get(found)
        if module and not catalog.is_installed(module):
            raise MissingDependency(
                f"the sampler {found} needs the package {module}, which is not installed", hint=f"pip install {module}"
            )
        return found

    @field_validator("pruner", mode="before")
    @classmethod
    def _pruner(cls, value: Any) -> Any:
        return catalog.resolve("pruner", value or "none", catalog.PRUNERS) if isinstance(value, str | None) else value


class Tracking(CamelDocument):
    """Export to an experiment tracker."""

    enabled: bool = Field(False, description="only false is built yet")
    experiment_name: str | None = Field(None, description="the experiment's name, once tracking is enabled")
    tracking_uri: str | None = Field(None, description="the tracker's address, once tracking is enabled")

    @field_validator("enabled")
    @classmethod
    def _not_yet(cls, value: bool) -> bool:
        if value:
            raise NotYet(
                "'experimentTracking.enabled: true' is not built yet",
                hint="set experimentTracking.enabled to false; every metric is kept in the home's own store",
            )
        return value


class Options(CamelDocument):
    """Smaller settings."""

    early_stopping_rounds: int | None = Field(
        None, ge=1, le=10_000, description="end a fit after this many rounds without a better validation loss"
    )
    verbosity: int = Field(
        1, ge=0, le=2, description="lines in the log: 0 none a trial, 1 one a trial, 2 one a fold too"
    )
    fit_timeout: float = Field(FIT_TIMEOUT_S, gt=0, description="seconds after which a single fit is killed")


class Costs(CamelDocument):
    """What a wrong prediction costs, of the second class in sorted order."""

    false_positive_cost: float = Field(gt=0, lt=1e12, description="cost of a row that is wrongly predicted second")
    false_negative_cost: float = Field(gt=0, lt=1e12, description="cost of a row of the second class that is missed")


class TabularConfig(CamelDocument):
    """What to train on which table, and how."""

    model_type: str | None = Field(None, description="classification or regression; default: from the target's values")
    algorithm: str = Field(catalog.AUTO, description=f"one of auto, {', '.join(catalog.ALGORITHMS)}")
    train_data_path: str = Field(description="a CSV or Parquet file, or sklearn:NAME")
    target_column: str | None = Field(None, description="the column to predict; default `target` for sklearn:NAME")
    features: list[str] | None = Field(None, min_length=1, description="columns to learn from; default: all others")
    validation_strategy: Validation = Field(default_factory=Validation, description="cross-validation")
    hyperparameter_search: Search = Field(default_factory=Search, description="the search")
    experiment_tracking: Tracking = Field(default_factory=Tracking, description="export to a tracker")
    options: Options = Field(default_factory=Options, description="smaller settings")
    class_weight: Literal["balanced"] | dict[str, Annotated[float, Field(gt=0, lt=1e9)]] | None = Field(
        None, description="weights of the classes in training: balanced, or class -> weight (others weigh 1)"
    )
    optimize_for: Literal["recall", "precision", "f1", "cost"] | None = Field(
        None, description="what the threshold between two classes is tuned for; default cost with businessContext"
    )
    business_context: Costs | None = Field(None, description="what errors cost; the threshold is tuned for it")
    group_column: str | None = Field(
        None, description="rows of one group stay together in every split; not learned from unless listed in features"
    )
    time_column: str | None = Field(None, description="dates or numbers that order the rows for timeseries")
    metric: str | None = Field(None, description="the objective; default roc_auc, log_loss (several classes), rmse")
    direction: str | None = Field(None, description="minimize or maximize; must be the metric's own")
    test_size: float | None = Field(None, gt=0, lt=1, description="share of rows held out as test; default 0.2")
    test_data_path: str | None = Field(None, description="a table of its own to test on, instead of testSize")
    unrecognized: list[str] = Field(default_factory=list, description="phrases of an agent's call not understood")

    @field_validator("model_type")
    @classmethod
    def _model_type(cls, value: str | None) -> str | None:
        return value and catalog.resolve("model type", value, catalog.TASKS)

    @field_validator("algorithm")
    @classmethod
    def _algorithm(cls, value: str) -> str:
        return catalog.resolve("algorithm", value, (catalog.AUTO, *catalog.ALGORITHMS))

    @field_validator("validation_strategy", mode="before")
    @classmethod
    def _plain_strategy(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value

    @field_validator("train_data_path", "test_data_path")
    @classmethod
    def _source(cls, value: str | None) -> str | None:
        return value and check_source(value)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _check_metric(self)
        _check_algorithm(self)
        _check_columns(self)
        _check_weights(self)
        _check_space(self)
        _check_threshold(self)
        if self.model_type == catalog.REGRESSION and self.validation_strategy.type == "stratified_kfold":
            raise InvalidSpec("stratified_kfold needs classes, and this is a regression", hint="use kfold")
        if self.target_column is None and not self.train_data_path.startswith("sklearn:"):
            raise InvalidSpec("'targetColumn' is missing", hint="name the column to predict")
        if self.features and self.target_column in self.features:
            raise InvalidSpec(f"the target {self.target_column!r} is also listed in 'features'", hint="remove it there")
        if self.test_size is not None and self.test_data_path is not None:
            raise InvalidSpec("both 'testSize' and 'testDataPath' are given", hint="keep one of them")
        return self

    @property
    def threshold_for(self) -> str | None:
        """What the threshold is tuned for, if it is."""
        return self.optimize_for or ("cost" if self.business_context else None)

    @property
    def costs(self) -> tuple[float, float] | None:
        """Costs of a false positive and of a false negative."""
        given = self.business_context
        return (given.false_positive_cost, given.false_negative_cost) if given else None

    def strategy_for(self, task: str) -> str:
        """Return the validation strategy: the one asked for, that of the named column, or the task's."""
        if self.validation_strategy.type:
            return self.validation_strategy.type
        if self.group_column:
            return "group"
        if self.time_column:
            return "timeseries"
        return "stratified_kfold" if task == catalog.CLASSIFICATION else "kfold"

    @property
    def target(self) -> str:
        """The target's name."""
        return self.target_column or "target"


def check_source(value: str) -> str:
    """Return `value` if its kind of source is built. Raises NotYet or UnknownName by name."""
    if value.startswith("sklearn:"):
        name = value.removeprefix("sklearn:")
        if name not in SKLEARN_SETS:
            raise unknown("scikit-learn data set", name, SKLEARN_SETS)
        return value
    lower = value.lower()
    if SCHEME.match(value):
        raise NotYet(f"sources such as {value.split(':')[0]!r} are not built yet", hint="CSV, Parquet, sklearn:NAME")
    if lower.endswith((".xlsx", ".xls", ".jsonl", ".ndjson", ".json", ".arrow", ".feather", ".orc", ".zip", ".zst")):
        raise NotYet(f"files such as {value.rsplit('.', 1)[-1]!r} are not read yet", hint="CSV (also .gz) or Parquet")
    return value


def _check_metric(config: TabularConfig) -> None:
    if config.metric is None:
        if config.direction is not None:
            raise InvalidSpec("'direction' is given without 'metric'", hint="the metric's own direction counts")
        return
    tasks = (config.model_type,) if config.model_type else catalog.TASKS
    names = [item.name for task in tasks for item in catalog.SCORES[task]]
    if config.metric not in names:
        raise unknown(f"metric for {' or '.join(tasks)}", config.metric, names)
    own = catalog.direction_of(config.metric)
    if config.direction not in (None, own):
        raise InvalidSpec(f"{config.metric} is to {own}, got {config.direction!r}", hint="leave 'direction' out")


def _check_columns(config: TabularConfig) -> None:
    """Refuse a strategy without its column, a column without its strategy, and scores that loo does not have."""
    strategy = config.validation_strategy.type
    columns = (("group", "groupColumn", config.group_column), ("timeseries", "timeColumn", config.time_column))
    for needing, key, column in columns:
        if strategy == needing and column is None:
            raise InvalidSpec(f"the validation strategy {needing} needs {key!r}", hint=f"name the column in {key}")
        if column is not None and strategy not in (None, needing):
            raise InvalidSpec(
                f"{key!r} has no meaning for the validation strategy {strategy}", hint=f"leave it out, or use {needing}"
            )
        if column is not None and column == config.target:
            raise InvalidSpec(f"{key!r} names the target {column!r}", hint="name another column")
    if config.group_column and config.time_column:
        raise InvalidSpec("both 'groupColumn' and 'timeColumn' are given", hint="keep one of them")
    if strategy == "loo" and config.metric not in (None, *catalog.LOO_METRICS):
        raise InvalidSpec(
            f"{config.metric} is not defined for the single row of a loo fold",
            hint=f"use one of {', '.join(catalog.LOO_METRICS)}",
        )


def _check_space(config: TabularConfig) -> None:
    search = config.hyperparameter_search
    if not search.space:
        return
    if config.algorithm == catalog.AUTO:
        raise InvalidSpec("'hyperparameterSearch.space' needs an algorithm", hint="name it instead of auto")
    if not search.enabled:
        raise InvalidSpec("'hyperparameterSearch.space' has no meaning: the search is disabled", hint="leave it out")
    with_space(REGISTRY[config.algorithm], search.space)


def _check_threshold(config: TabularConfig) -> None:
    if config.threshold_for and config.model_type == catalog.REGRESSION:
        raise InvalidSpec("a threshold needs two classes, and this is a regression", hint="leave optimizeFor out")
    if config.optimize_for == "cost" and config.business_context is None:
        hint = '{"businessContext": {"falsePositiveCost": 1, "falseNegativeCost": 10}}'
        raise InvalidSpec("optimizeFor cost needs 'businessContext'", hint=hint)
    if config.business_context and config.threshold_for != "cost":
        raise InvalidSpec(
            f"'businessContext' has no meaning with optimizeFor {config.optimize_for}", hint="use cost, or leave it out"
        )


def _check_weights(config: TabularConfig) -> None:
    if config.class_weight is None:
        return
    if config.model_type == catalog.REGRESSION:
        raise InvalidSpec("'classWeight' needs classes, and this is a regression", hint="leave it out")
    if config.algorithm != catalog.AUTO and not catalog.ALGORITHMS[config.algorithm].takes_weights:
        taking = ", ".join(name for name, entry in catalog.ALGORITHMS.items() if entry.takes_weights)
        raise InvalidSpec(f"{config.algorithm} takes no class weights", hint=f"leave them out, or use one of {taking}")


def _check_algorithm(config: TabularConfig) -> None:
    if config.algorithm == catalog.AUTO:
        return
    entry = catalog.ALGORITHMS[config.algorithm]
    if config.model_type and config.model_type not in entry.tasks:
        fitting = catalog.algorithms_for(config.model_type)
        raise InvalidSpec(
            f"{config.algorithm} does not do {config.model_type}", hint=f"allowed: auto, {', '.join(fitting)}"
        )
    if not entry.is_installed:
        raise MissingDependency(
            f"{config.algorithm} needs the package {entry.package}, which is not installed",
            hint=f"pip install {entry.package}",
        )
    if config.options.early_stopping_rounds and not entry.has_rounds:
        with_rounds = ", ".join(name for name, other in catalog.ALGORITHMS.items() if other.has_rounds)
        raise InvalidSpec(
            f"'options.earlyStoppingRounds' has no meaning for {config.algorithm}: it has no rounds",
            hint=f"leave it out, or choose one of {with_rounds}",
        )
