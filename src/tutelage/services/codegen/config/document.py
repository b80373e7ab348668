"""The whole config of a `codegen` operation: which phase, and its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from tutelage.core.errors import unknown
from tutelage.core.spec import Document
from tutelage.services.codegen.config.data import DataConfig
from tutelage.services.codegen.config.decoding import DecodingConfig
from tutelage.services.codegen.config.defaults import PRESETS, merged
from tutelage.services.codegen.config.training import TrainingConfig
from tutelage.services.codegen.config.transformer import TransformerConfig

Phase = Literal["architect", "optimizer", "accelerator", "integrator"]
PHASES: tuple[Phase, ...] = ("architect", "optimizer", "accelerator", "integrator")


class CodegenConfig(Document):
    """Text to WGSL: a model, its data, its training, how it writes."""

    preset: str | None = Field(None, description=f"settings to begin with: {', '.join(PRESETS)}; own settings win")
    phase: Phase = Field("architect", description="architect trains; the others go on from an operation before them")
    base: str | None = Field(
        None, description="the operation that a later phase goes on from; a link of kind input says the same"
    )
    model: TransformerConfig = Field(TransformerConfig(), description="what shapes the model")
    data: DataConfig = Field(DataConfig(), description="what is learned from")
    training: TrainingConfig = Field(TrainingConfig(), description="how it is trained")
    decoding: DecodingConfig = Field(DecodingConfig(), description="how programs are written")

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, document: Any) -> Any:
        """Put the preset under what is given."""
        if not isinstance(document, Mapping) or document.get("preset") is None:
            return document
        name = str(document["preset"])
        if name not in PRESETS:
            raise unknown("preset", name, PRESETS)
        return merged(PRESETS[name], document)
