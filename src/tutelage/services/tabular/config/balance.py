"""Resampling: how unequal classes are balanced in the training part of each fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from tutelage.core.errors import InvalidSpec
from tutelage.services.tabular import catalog
from tutelage.services.tabular.config.base import CamelDocument

if TYPE_CHECKING:
    from tutelage.services.tabular.config.document import TabularConfig

DEFAULT_NEIGHBOURS = 5


class Resampling(CamelDocument):
    """How the classes of a fit's training rows are balanced; rows that are scored are never touched."""

    type: Literal["none", "oversample", "undersample", "smote"] = Field(
        "none", description="oversample repeats rows, undersample leaves rows out, smote makes rows between neighbours"
    )
    ratio: float = Field(
        1.0, gt=0, le=1, description="rows of each smaller class, at least, as a share of the biggest class"
    )
    neighbours: int | None = Field(None, ge=1, le=100, description="smote: neighbours of a row, default 5")

    @model_validator(mode="after")
    def _nothing_inert(self) -> Self:
        if self.neighbours is not None and self.type != "smote":
            raise InvalidSpec(
                f"'resampling.neighbours' has no meaning for {self.type}", hint="leave it out, or use smote"
            )
        if self.ratio != 1 and self.type == "none":
            raise InvalidSpec("'resampling.ratio' has no meaning for none", hint="leave it out, or name a type")
        return self

    @property
    def num_neighbours(self) -> int:
        """The neighbours that smote looks at."""
        return self.neighbours or DEFAULT_NEIGHBOURS


def check_resampling(config: TabularConfig) -> None:
    """Refuse resampling without classes, and together with weights, which would count the balance twice."""
    if config.resampling.type == "none":
        return
    if config.task == catalog.REGRESSION:
        raise InvalidSpec("'resampling' needs classes, and this is a regression", hint="leave it out")
    if config.class_weight is not None:
        raise InvalidSpec(
            "both 'resampling' and 'classWeight' are given; weights on balanced rows would count the balance twice",
            hint="keep one of them",
        )
