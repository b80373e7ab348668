"""Our side of the pretraining benchmark: the product's model and loop, as large as nanoGPT's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from benchmarks.support.fitting import open_run
from tutelage.services.cognate.data.stream import Segment
from tutelage.services.cognate.model.causal_lm import CausalLM
from tutelage.services.cognate.model.settings import ModelSettings
from tutelage.services.cognate.segment_step import run_segment
from tutelage.services.cognate.task import compile_blocks
from tutelage.training import ALONE, Clip, Loss, Plan
from tutelage.training.loop import Training

VOCABULARY, WIDTH, LAYERS, HEADS = 32_000, 216, 11, 4
HIDDEN = 576
"""3 x 216 x 576 = 8 x 216 x 216: the gated feed-forward has as many parameters as nanoGPT's of four widths."""

LEARNING_RATE, BETAS = 2e-4, (0.9, 0.95)
FOREVER = 1_000_000


def batch_of(position: int, *, lanes: int, length: int) -> torch.Tensor:
    """Return random tokens [lanes, length]: how fast a step is does not hang on what they are."""
    source = torch.Generator().manual_seed(position)
    return torch.randint(0, VOCABULARY, (lanes, length), generator=source)


class SpeedTask:
    """A language model without halting and memory, which nanoGPT lacks, on random tokens."""

    def __init__(self, *, lanes: int, segment_len: int) -> None:
        torch.manual_seed(0)
        self._lanes, self._segment_len = lanes, segment_len
        self._model = CausalLM(
            ModelSettings(
                vocab_size=VOCABULARY,
                d_model=WIDTH,
                n_layers=LAYERS,
                n_heads=HEADS,
                d_ffn=HIDDEN,
                segment_len=segment_len,
                tie_embeddings=True,
            )
        )

    @property
    def model(self) -> CausalLM:
        """The model."""
        return self._model

    def batch(self, position: int) -> Segment:
        """Return random tokens."""
        tokens = batch_of(position, lanes=self._lanes, length=self._segment_len + 1)
        parts = (tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous())
        return Segment(tokens=parts[0], labels=parts[1], docs=torch.zeros_like(parts[0]), begins=False)

    def loss(self, batch: Segment) -> Loss:
        """Return what `cognate` trains."""
        done = run_segment(self._model, batch, None, act_tau=0.0)
        return Loss(total=done.total, num_items=done.num_labels, sums=done.sums)

    def evaluate(self) -> Mapping[str, float]:
        """Hold nothing out."""
        return {}

    def compile(self) -> None:
        """Compile what `cognate` compiles."""
        compile_blocks(self._model)


class Ours:
    """One training of the product, a step at a time: accumulation, checks, clipping, reports and all."""

    def __init__(self, folder: Path, *, lanes: int, segment_len: int, is_compiled: bool = False) -> None:
        self._task = SpeedTask(lanes=lanes, segment_len=segment_len)
        plan = Plan(
            max_steps=FOREVER,
            optimizer={"name": "adamw", "lr": LEARNING_RATE, "betas": list(BETAS), "weight_decay": 0.1},
            clip=Clip(norm=1.0),
            precision="bf16",
            objective="val_loss",
            item="token",
        )
        self._training = Training(self._task, plan, open_run(folder, seed=0), ALONE)
        if is_compiled:
            self._task.compile()

    @property
    def num_parameters(self) -> int:
        """All parameters; the head is tied to the embedding."""
        return sum(parameter.numel() for parameter in self._task.model.parameters())

    def step(self) -> None:
        """Take one optimizer step."""
        self._training.step()
