"""The best step's weights, once a training has ended."""

from __future__ import annotations

import torch
from safetensors.torch import load_file, load_model
from torch import nn

from tutelage.core.layout import OperationFiles
from tutelage.core.ports import Run
from tutelage.training.checkpoint import AVERAGE, WEIGHTS
from tutelage.training.outcome import Outcome


def load_best(model: nn.Module, run: Run, outcome: Outcome) -> bool:
    """Load the weights of the best evaluation into the model - the averaged ones where they were evaluated.

    False, and the model as it is, where its checkpoint is not there (`checkpoint_best` off, a full disk at that step).
    """
    folder = OperationFiles(run.dir).checkpoints / str(outcome.best_step)
    if outcome.best_step is None or not (folder / WEIGHTS).is_file():
        return False
    load_model(model, folder / WEIGHTS, device=str(next(model.parameters()).device))
    if (folder / AVERAGE).is_file():
        averaged = load_file(folder / AVERAGE)
        with torch.no_grad():
            for name, param in model.named_parameters():
                if name in averaged:
                    param.copy_(averaged[name])
    return True
