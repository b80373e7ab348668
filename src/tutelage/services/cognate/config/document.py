"""What to pretrain, on what, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from tutelage.core.errors import unknown
from tutelage.core.spec import Document
from tutelage.core.training import PRECISIONS
from tutelage.services.cognate.config import checks
from tutelage.services.cognate.config.presets import FOCUS, PRESETS
from tutelage.services.cognate.model.settings import WRITE_RULES

DATASETS = ("GSM8K", "SVAMP", "HotpotQA", "stdlib:python", "text")
LEAST_VOCABULARY = 258
"""256 bytes and two special tokens."""


class CognateConfig(Document):
    """A small reasoning language model, its texts and its training."""

    preset: str | None = Field(None, description=f"settings to begin with: {', '.join(PRESETS)}; own settings win")
    focus: str = Field("reasoning", description=f"shifts defaults: {', '.join(FOCUS)}")

    d_model: int = Field(216, ge=8, le=4096, description="width of the model")
    n_layers: int = Field(11, ge=1, le=128, description="number of blocks")
    n_heads: int = Field(4, ge=1, le=64, description="attention heads; d_model / n_heads must be even")
    d_ffn: int | None = Field(None, ge=8, le=16_384, description="width of the feed-forward; default 4 x d_model")
    vocab_size: int = Field(
        32_000, ge=LEAST_VOCABULARY, le=200_000, description="tokens of the vocabulary that is learned, exactly"
    )
    max_seq_len: int = Field(
        4096, ge=8, le=1_000_000, description="tokens of a document; a longer one is cut into several"
    )
    segment_len: int = Field(
        512, ge=4, le=65_536, description="tokens that attention spans; what lies further back is reached by memory"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="share of activations dropped in training")
    tie_embeddings: bool = Field(False, description="use one matrix as embedding and head")

    act_enabled: bool = Field(True, description="adaptive computation time: tokens halt when they are done")
    act_threshold: float = Field(0.99, gt=0, le=1, description="halting probability, added up, at which a token halts")
    act_epsilon: float = Field(0.01, ge=0, lt=1, description="a token also halts at 1 - act_epsilon")
    act_tau: float = Field(0.01, ge=0, le=1000, description="loss for each ponder step: tau x mean(N + R)")
    max_act_steps: int = Field(16, ge=1, le=256, description="most ponder steps of a token; at least n_layers by depth")
    recur_last: int = Field(
        0, ge=0, le=128, description="apply the last k blocks up to max_act_steps times; 0: the blocks are the steps"
    )

    ltm_enabled: bool = Field(True, description="long-term memory of past segments")
    d_mem: int = Field(216, ge=8, le=4096, description="width of the memory's keys and values")
    mem_capacity: int = Field(4096, ge=1, le=1_000_000, description="slots for each sequence")
    mem_topk: int = Field(4, ge=1, le=256, description="slots that a token reads in each layer")
    mem_write_rule: str = Field("surprise", description=f"what earns a slot: {', '.join(WRITE_RULES)}")
    mem_decay: float = Field(0.9, gt=0, le=1, description="worth that an unread slot keeps after each segment")

    dataset_sources: list[str] = Field(
        default=["GSM8K", "SVAMP", "HotpotQA"], min_length=1, description=f"any of {', '.join(DATASETS)}"
    )
    data_dir: str | None = Field(None, description="a folder with the folders gsm8k, svamp and hotpotqa")
    gsm8k_path: str | None = Field(None, description="GSM8K: a JSON lines file, or a folder with train.jsonl")
    svamp_path: str | None = Field(None, description="SVAMP: a JSON or CSV file, or a folder of these")
    hotpotqa_path: str | None = Field(None, description="HotpotQA: a JSON file, or a folder of these")
    text_dirs: list[str] = Field(default_factory=list, description="folders of text files, for the source `text`")
    allow_partial: bool = Field(False, description="go on without a source that is missing, and say so")
    allow_download: bool = Field(False, description="ask the Hugging Face hub for what no file holds")
    short_share: float = Field(0.45, ge=0, le=1, description="share of short samples in the mix")
    max_train_samples: int = Field(5000, ge=1, le=100_000_000, description="documents that are learned from, at most")
    max_eval_samples: int = Field(500, ge=1, le=1_000_000, description="documents that are held out, at most")
    max_eval_tokens: int = Field(100_000, ge=64, le=1_000_000_000, description="tokens of one evaluation, at most")
    exact_match_samples: int = Field(
        16, ge=0, le=100_000, description="held-out questions answered at the end and compared word for word"
    )

    max_steps: int = Field(2000, ge=1, le=1_000_000_000, description="optimizer steps")
    batch_size: int = Field(2, ge=1, le=65_536, description="sequences side by side in a batch")
    gradient_accumulation_steps: int = Field(4, ge=1, le=65_536, description="batches of one optimizer step")
    learning_rate: float = Field(2e-4, gt=0, le=10, description="base learning rate of AdamW")
    weight_decay: float = Field(0.1, ge=0, le=10, description="weight decay; none on norms, biases and embeddings")
    adam_betas: tuple[float, float] = Field((0.9, 0.95), description="AdamW's two decay rates")
    warmup_steps: int = Field(100, ge=0, le=1_000_000_000, description="steps until the learning rate is reached")
    lr_schedule: str = Field("cosine", description="shape of the learning rate after warmup")
    min_lr_ratio: float = Field(0.1, ge=0, le=1, description="where a falling schedule ends, as a share of the base")
    gradient_clip: float = Field(1.0, gt=0, le=1e6, description="bound of the gradient's Euclidean norm")
    grokfast_enabled: bool = Field(True, description="amplify the slow part of the gradient; not the halting unit's")
    grokfast_alpha: float = Field(0.98, ge=0, le=1, description="share of the old mean kept each step")
    grokfast_lamb: float = Field(2.0, ge=0, le=1000, description="how much the mean is amplified")
    precision: str = Field("fp32", description=", ".join(PRECISIONS))
    compile: Literal["never", "auto", "always"] = Field("never", description="torch.compile; auto: where it repays")
    patience: int | None = Field(None, ge=1, le=1_000_000, description="evaluations without improvement before the end")
    init_from_path: str | None = Field(None, description="a checkpoint folder or .safetensors file to begin with")
    freeze: list[str] = Field(default_factory=list, description="patterns of parameters that are not trained")
    eval_steps: int = Field(200, ge=1, le=1_000_000_000, description="steps between evaluations")
    save_steps: int = Field(1000, ge=1, le=1_000_000_000, description="steps between checkpoints")
    sample_steps: int = Field(0, ge=0, le=1_000_000_000, description="steps between texts that it writes; 0: none")
    exports: list[Literal["huggingface"]] = Field(
        default_factory=list, max_length=1, description="other forms of the model to write"
    )

    model_names: list[str] = Field(
        default_factory=list, max_length=64, description="several models in one operation; default: those of variants"
    )
    variants: dict[str, dict[str, JsonValue]] = Field(
        default_factory=dict, description="model name -> settings in which it differs"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, document: Any) -> Any:
        """Put preset and focus under what is given."""
        if not isinstance(document, Mapping):
            return document
        preset, focus = document.get("preset"), document.get("focus", "reasoning")
        if preset is not None and preset not in PRESETS:
            raise unknown("preset", str(preset), PRESETS)
        if focus not in FOCUS:
            raise unknown("focus", str(focus), FOCUS)
        return {**FOCUS[focus], **(PRESETS[preset] if preset else {}), **document}

    @field_validator("dataset_sources")
    @classmethod
    def _known_sources(cls, value: list[str]) -> list[str]:
        return list(dict.fromkeys(checks.choice("dataset source", name, DATASETS) for name in value))

    @field_validator("mem_write_rule")
    @classmethod
    def _known_rule(cls, value: str) -> str:
        return checks.choice("write rule", value, WRITE_RULES)

    @field_validator("precision")
    @classmethod
    def _known_precision(cls, value: str) -> str:
        return checks.choice("precision", value, PRECISIONS)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        checks.check_shape(self)
        checks.check_steps(self)
        checks.check_schedule_name(self)
        checks.check_sources(self)
        checks.check_models(self)
        return self

    @property
    def names(self) -> list[str]:
        """The models to train; none where it is just one without a name."""
        return self.model_names or list(self.variants)

    def variant(self, name: str) -> CognateConfig:
        """Return the config of one model of several."""
        own = self.model_dump(exclude={"model_names", "variants", "preset", "focus"}, exclude_unset=False)
        return CognateConfig.model_validate({**own, **self.variants.get(name, {})})
