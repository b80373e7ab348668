"""The parts of the job document: validation, search, options, costs."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from tutelage.core.errors import InvalidSpec, MissingDependency
from tutelage.services.tabular import catalog
from tutelage.services.tabular.config.base import CamelDocument

FIT_TIMEOUT_S = 600.0


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
    pruner: str = Field(
        catalog.DEFAULT_PRUNER,
        description=f"what ends a bad trial after a fold: {', '.join(catalog.PRUNERS)}; "
        f"default {catalog.DEFAULT_PRUNER}: median, none with several objectives",
    )
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
        allowed = (*catalog.PRUNERS, catalog.DEFAULT_PRUNER)
        return catalog.resolve("pruner", value or "none", allowed) if isinstance(value, str | None) else value


class Options(CamelDocument):
    """Smaller settings."""

    early_stopping_rounds: int | None = Field(
        None, ge=1, le=10_000, description="end a fit after this many rounds without a better validation loss"
    )
    verbosity: int = Field(
        1, ge=0, le=2, description="lines in the log: 0 none a trial, 1 one a trial, 2 one a fold too"
    )
    exports: list[Literal["skops", "onnx"]] = Field(
        default_factory=list, max_length=2, description="other formats of the model to write beside model.joblib"
    )
    fit_timeout: float = Field(FIT_TIMEOUT_S, gt=0, description="seconds after which a single fit is killed")

    @field_validator("exports")
    @classmethod
    def _exports(cls, value: list[str]) -> list[str]:
        return [catalog.check_export(name) for name in dict.fromkeys(value)]


class Costs(CamelDocument):
    """What a wrong prediction costs, of the second class in sorted order."""

    false_positive_cost: float = Field(gt=0, lt=1e12, description="cost of a row that is wrongly predicted second")
    false_negative_cost: float = Field(gt=0, lt=1e12, description="cost of a row of the second class that is missed")
