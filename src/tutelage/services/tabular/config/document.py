"""The job document: what to train on which table, and how."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from tutelage.core.errors import InvalidSpec
from tutelage.services.tabular import catalog
from tutelage.services.tabular.config import checks, gates, handoffs
from tutelage.services.tabular.config.approval import Approval
from tutelage.services.tabular.config.balance import Resampling, check_resampling
from tutelage.services.tabular.config.base import CamelDocument
from tutelage.services.tabular.config.clustering import check_clustering
from tutelage.services.tabular.config.limits import check_limits
from tutelage.services.tabular.config.objectives import check_objectives
from tutelage.services.tabular.config.parts import Costs, Options, Search, Validation
from tutelage.services.tabular.config.selection import check_calibration, check_strategy
from tutelage.services.tabular.config.sources import check_source
from tutelage.services.tabular.config.tracking import Tracking


class TabularConfig(CamelDocument):
    """What to train on which table, and how."""

    model_type: str | None = Field(
        None, description="classification, regression or clustering; default: by algorithm or target"
    )
    algorithm: str = Field(catalog.AUTO, description=f"one of auto, {', '.join(catalog.ALGORITHMS)}")
    train_data_path: str = Field(
        description="a file (CSV, Parquet, JSON lines, Arrow, Excel), a folder of parts, sqlite: or postgresql: with a "
        "query, sklearn:NAME, statsmodels:NAME or openml:NUMBER"
    )
    target_column: str | None = Field(
        None, description="the column to predict (clustering: to compare with); default `target` for sklearn:NAME"
    )
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
    metrics: list[str] | None = Field(
        None, min_length=2, max_length=4, description="several objectives for the sampler nsgaii, a score first"
    )
    direction: str | None = Field(None, description="minimize or maximize; must be the metric's own")
    test_size: float | None = Field(None, gt=0, lt=1, description="share of rows held out as test; default 0.2")
    test_data_path: str | None = Field(None, description="a table of its own to test on, instead of testSize")
    strategy: Literal["evidence", "rules"] | None = Field(
        None, description="how algorithm auto chooses: by public benchmarks (default) or by the table of rules"
    )
    resampling: Resampling = Field(default_factory=Resampling, description="balance of classes in training parts")
    calibration: Literal["none", "sigmoid", "isotonic", "temperature"] = Field(
        "none", description="how probabilities are corrected, learned from out-of-fold predictions"
    )
    time_limit: float | None = Field(
        None, ge=1, le=10_000_000, description="seconds of the whole operation, pauses not counted; kept to 10 %"
    )
    memory_limit: float | None = Field(
        None, gt=0, le=4096, description="GiB of worker and fit together, at most resources.memory_gib; default that"
    )
    deterministic: bool = Field(False, description="refuse budgets in seconds: a rerun is bit-identical")
    unrecognized: list[str] = Field(default_factory=list, description="phrases of an agent's call not understood")
    gates: dict[str, str] = Field(
        default_factory=dict,
        description='rules such as {"test.roc_auc": ">= 0.85"} that the result must keep; exit code 3 when it does not',
    )
    approval: Approval | None = Field(None, description="wait for a yes before a step; true: before the release")
    sensitive_features: list[str] = Field(
        default_factory=list, max_length=20, description="columns by whose groups the test is reported"
    )
    exclude_features: list[str] = Field(default_factory=list, description="columns that are not learned from")
    categorical_features: list[str] = Field(
        default_factory=list, description="columns whose values are learned as categories, even if they are numbers"
    )
    eda_document: dict[str, Any] | str | None = Field(
        None, description="an analysis with recommendations or featureAssessment; an object or an absolute path"
    )
    eda_document_path: str | None = Field(None, description="the same, as a JSON file")
    evaluator_feedback: dict[str, Any] | list[Any] | str | None = Field(
        None, description="an evaluator's recommendations on an earlier model; an object or an absolute path"
    )
    evaluator_feedback_path: str | None = Field(None, description="the same, as a JSON file")
    given_keys: list[str] | None = Field(
        None, description="filled in beside a hand-off: the job's own keys, which win over what it recommends"
    )

    @model_validator(mode="before")
    @classmethod
    def _own_keys(cls, document: Any) -> Any:
        return handoffs.note_given(document)

    @field_validator("gates")
    @classmethod
    def _gates(cls, value: dict[str, str]) -> dict[str, str]:
        return gates.read_gates(value)

    @field_validator("approval", mode="before")
    @classmethod
    def _plain_approval(cls, value: Any) -> Any:
        return ({} if value else None) if isinstance(value, bool) else value

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

    @field_validator("resampling", mode="before")
    @classmethod
    def _plain_resampling(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value or {}

    @field_validator("calibration", mode="before")
    @classmethod
    def _no_calibration(cls, value: Any) -> Any:
        return value or "none"

    @field_validator("train_data_path", "test_data_path")
    @classmethod
    def _source(cls, value: str | None) -> str | None:
        return value and check_source(value)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        checks.check_metric(self)
        checks.check_algorithm(self)
        checks.check_columns(self)
        checks.check_weights(self)
        checks.check_space(self)
        checks.check_threshold(self)
        gates.check_gates(self.gates, self.model_type)
        handoffs.check_handoffs(self)
        handoffs.check_columns_named(self)
        check_objectives(self)
        check_strategy(self)
        check_resampling(self)
        check_calibration(self)
        check_clustering(self)
        check_limits(self)
        if self.model_type == catalog.REGRESSION and self.validation_strategy.type == "stratified_kfold":
            raise InvalidSpec("stratified_kfold needs classes, and this is a regression", hint="use kfold")
        if not self.target and self.task != catalog.CLUSTERING:
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
    def task(self) -> str | None:
        """The task as far as the document tells: the model type, or what the algorithm alone does."""
        is_clusterer = self.algorithm in catalog.algorithms_for(catalog.CLUSTERING)
        return self.model_type or (catalog.CLUSTERING if is_clusterer else None)

    @property
    def fit_timeout_s(self) -> float:
        """Seconds after which a single fit is killed; never where a rerun must be bit-identical."""
        return math.inf if self.deterministic else self.options.fit_timeout

    @property
    def target(self) -> str:
        """The target's name; empty for a clustering that has none to compare with."""
        default = "target" if self.train_data_path.startswith("sklearn:") else ""
        return self.target_column or default
