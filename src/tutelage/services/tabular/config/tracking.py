"""Export to an experiment tracker, as a job asks for it."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, field_validator, model_validator

from tutelage.core.errors import InvalidSpec, MissingDependency
from tutelage.core.tracking import check_uri
from tutelage.services.tabular import catalog
from tutelage.services.tabular.config.base import CamelDocument

ALIAS = re.compile(r"(?!latest\Z)(?![vV]\d+\Z)[\w-]{1,100}\Z", re.ASCII)
"""MLflow keeps `latest` and `v1`, `v2`, ... for itself."""


class Tracking(CamelDocument):
    """Export to MLflow, after the fact and in a process of its own: no tracker ever fails a training."""

    enabled: bool = Field(False, description="export parameters, metrics, artifacts and the model when the run ends")
    experiment_name: str | None = Field(
        None, min_length=1, max_length=250, description="the experiment; default `tabular`"
    )
    tracking_uri: str | None = Field(
        None, description="http(s)://host:port or sqlite:////path; default the home's own mlflow.db"
    )
    registered_model: str | None = Field(
        None, min_length=1, max_length=200, description="the registered model; default experimentName, else run's name"
    )
    model_alias: str | None = Field(
        "candidate", description="the alias that moves to the new version; null: none is set"
    )

    @field_validator("tracking_uri")
    @classmethod
    def _tracker(cls, value: str | None) -> str | None:
        return value and check_uri(value)

    @field_validator("model_alias")
    @classmethod
    def _alias(cls, value: str | None) -> str | None:
        if value is not None and not ALIAS.match(value):
            raise InvalidSpec(
                f"{value[:100]!r} cannot be an alias", hint="letters, digits, - and _; neither latest nor v1, v2, ..."
            )
        return value

    @model_validator(mode="after")
    def _is_installed(self) -> Self:
        if self.enabled and not catalog.is_installed("mlflow"):
            raise MissingDependency(
                "experimentTracking needs the package mlflow, which is not installed",
                hint="pip install 'tutelage[mlflow]', or set experimentTracking.enabled to false",
            )
        return self
