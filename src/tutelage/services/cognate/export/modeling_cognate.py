"""The model for `transformers`: `AutoModelForCausalLM.from_pretrained(FOLDER, trust_remote_code=True)`.

Shipped in the export beside the model's own files; nothing of Tutelage is needed to load it.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from tutelage.services.cognate.model.causal_lm import CausalLM
from tutelage.services.cognate.model.reading import logits_of
from tutelage.services.cognate.model.settings import ModelSettings


class CognateConfig(PretrainedConfig):  # type: ignore[misc]
    """What shapes the model, under `settings`."""

    model_type = "cognate"

    def __init__(self, settings: dict[str, Any] | None = None, **others: Any) -> None:
        self.settings = settings or {}
        self.vocab_size = self.settings.get("vocab_size", 0)
        self.hidden_size = self.settings.get("d_model", 0)
        self.num_hidden_layers = self.settings.get("n_layers", 0)
        self.num_attention_heads = self.settings.get("n_heads", 0)
        others.setdefault("use_cache", False)
        super().__init__(**others)


class CognateForCausalLM(PreTrainedModel, GenerationMixin):  # type: ignore[misc]
    """Reads texts of any length segment by segment, with a memory that begins empty; generates without a cache."""

    config_class = CognateConfig
    base_model_prefix = "lm"
    main_input_name = "input_ids"

    def __init__(self, config: CognateConfig) -> None:
        super().__init__(config)
        self.lm = CausalLM(ModelSettings.of(config.settings))
        self.post_init()

    def _init_weights(self, module: Any) -> None:
        """Leave what the model itself initialised."""

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None, **unused: Any
    ) -> CausalLMOutput:
        """Return logits [B, T, V], and the loss of `labels` [B, T], which are shifted here; -100 is left out."""
        if attention_mask is not None and not bool((attention_mask.diff(dim=1) <= 0).all()):
            raise ValueError("pad on the right: a text must begin with its first token")
        logits = logits_of(self.lm, input_ids)
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten())
        return CausalLMOutput(loss=loss, logits=logits)

    def prepare_inputs_for_generation(self, input_ids: Tensor, **others: Any) -> dict[str, Any]:
        """Hand on the whole text: there is no cache."""
        return {"input_ids": input_ids, "attention_mask": others.get("attention_mask", torch.ones_like(input_ids))}
