"""How the model is trained."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from tutelage.core.errors import unknown
from tutelage.core.spec import Document
from tutelage.core.training import PRECISIONS
from tutelage.services.codegen.config.defaults import of

_default = of("training")
MOST = 1_000_000_000


class TrainingConfig(Document):
    """Steps, rates and how often something is measured or kept."""

    max_steps: int = Field(_default("max_steps"), ge=1, le=MOST, description="optimizer steps")
    batch_size: int = Field(_default("batch_size"), ge=1, le=65_536, description="pairs of a batch")
    gradient_accumulation_steps: int = Field(
        _default("gradient_accumulation_steps"), ge=1, le=65_536, description="batches of one optimizer step"
    )
    learning_rate: float = Field(_default("learning_rate"), gt=0, le=10, description="base learning rate of AdamW")
    weight_decay: float = Field(
        _default("weight_decay"), ge=0, le=10, description="weight decay; none on norms, biases and the embedding"
    )
    adam_betas: tuple[float, float] = Field(tuple(_default("adam_betas")), description="AdamW's two decay rates")
    warmup_steps: int = Field(
        _default("warmup_steps"), ge=0, le=MOST, description="steps until the learning rate is reached"
    )
    schedule: Literal["warmup_stable_decay", "cosine", "linear", "constant", "inverse_sqrt"] = Field(
        _default("schedule"), description="shape of the learning rate after warmup"
    )
    decay_share: float = Field(
        _default("decay_share"), gt=0, le=1, description="warmup_stable_decay: share of all steps in which it falls"
    )
    final_lr_ratio: float = Field(
        _default("final_lr_ratio"), ge=0, le=1, description="where a falling schedule ends, as a share of the base"
    )
    curriculum_share: float = Field(
        _default("curriculum_share"), ge=0, le=1, description="share of all steps after which every length is drawn"
    )
    label_smoothing: float = Field(
        _default("label_smoothing"), ge=0, lt=1, description="probability spread evenly over all tokens"
    )
    gradient_clip: float = Field(_default("gradient_clip"), gt=0, le=1e6, description="bound of the gradient's norm")
    precision: str = Field(_default("precision"), description=", ".join(PRECISIONS))
    compile: Literal["never", "auto", "always"] = Field(
        _default("compile"), description="torch.compile; auto: where it repays"
    )
    patience: int | None = Field(None, ge=1, le=1_000_000, description="evaluations without improvement before the end")
    init_from_path: str | None = Field(None, description="a checkpoint folder or .safetensors file to begin with")
    eval_steps: int = Field(_default("eval_steps"), ge=1, le=MOST, description="steps between evaluations")
    eval_prompts: int = Field(
        _default("eval_prompts"), ge=1, le=100_000, description="held-out prompts answered at each evaluation"
    )
    save_steps: int = Field(_default("save_steps"), ge=1, le=MOST, description="steps between checkpoints")
    sample_steps: int = Field(
        _default("sample_steps"), ge=0, le=MOST, description="steps between programs that it shows; 0: none"
    )
    log_steps: int = Field(_default("log_steps"), ge=1, le=MOST, description="steps between reports of the loss")

    @field_validator("precision")
    @classmethod
    def _known_precision(cls, value: str) -> str:
        if value not in PRECISIONS:
            raise unknown("precision", value, PRECISIONS)
        return value
