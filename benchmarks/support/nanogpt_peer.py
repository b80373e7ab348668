"""nanoGPT (karpathy/nanoGPT): its model, its optimizer and the body of its loop, from a checkout beside ours."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from benchmarks.support.pretraining import BETAS, HEADS, LAYERS, LEARNING_RATE, VOCABULARY, WIDTH, batch_of

FOLDER = "NANOGPT_DIR"
"""The environment variable that names its folder."""

HOW = f"git clone https://github.com/karpathy/nanoGPT beside this checkout, then {FOLDER}=.../nanoGPT"
ABSENT = {"absent": HOW}


def find_peer() -> Path | None:
    """Return the folder of its code, or None where it is not named or holds no model.py."""
    named = os.environ.get(FOLDER)
    folder = Path(named) if named else None
    return folder if folder is not None and (folder / "model.py").is_file() else None


class NanoGpt:
    """Its `train.py` on a CPU: float32, AdamW from its `configure_optimizers`, gradient clipping at 1."""

    def __init__(self, folder: Path, *, lanes: int, segment_len: int) -> None:
        module = _module(folder / "model.py")
        torch.manual_seed(0)
        with contextlib.redirect_stdout(io.StringIO()):
            self._model: Any = module.GPT(
                module.GPTConfig(
                    block_size=segment_len,
                    vocab_size=VOCABULARY,
                    n_layer=LAYERS,
                    n_head=HEADS,
                    n_embd=WIDTH,
                    dropout=0.0,
                    bias=False,
                )
            )
            self._optimizer = self._model.configure_optimizers(1e-1, LEARNING_RATE, BETAS, "cpu")
        self._lanes, self._segment_len = lanes, segment_len
        self._position = 0
        self._next = self._batch()

    @property
    def num_parameters(self) -> int:
        """All parameters; the head is tied to the embedding."""
        return sum(parameter.numel() for parameter in self._model.parameters())

    def step(self) -> None:
        """Do what one turn of its loop does, without accumulation."""
        for group in self._optimizer.param_groups:
            group["lr"] = LEARNING_RATE
        inputs, targets = self._next
        _, loss = self._model(inputs, targets)
        self._next = self._batch()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        loss.item()

    def _batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        self._position += 1
        tokens = batch_of(self._position, lanes=self._lanes, length=self._segment_len + 1)
        return tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("nanogpt_model", path)
    assert spec is not None, "a file that is there has a spec"
    assert spec.loader is not None, "a source file has a loader"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
