"""The files of a checkpoint: weights in safetensors, everything else in one file read with `weights_only`."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, load_model, save_file, save_model
from torch import Tensor, nn

from tutelage.core.errors import DamagedFile, InvalidSpec
from tutelage.training.migrations import MIGRATIONS, VERSION
from tutelage.training.parameters import matching

WEIGHTS = "model.safetensors"
AVERAGE = "average.safetensors"
STATE = "training.pt"
UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError, SafetensorError)
"""What the libraries raise for a file that is damaged or of another model."""


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What a checkpoint holds beside the model's weights."""

    state: dict[str, Any]
    average: dict[str, Tensor] | None


def write_checkpoint(
    folder: Path, model: nn.Module, state: Mapping[str, Any], *, average: Mapping[str, Tensor] | None = None
) -> None:
    """Write a checkpoint's files into an empty folder; `Run.checkpoint` makes them whole or nothing.

    `state` holds tensors, numbers, texts, None, and lists and dicts of these.
    """
    save_model(model, str(folder / WEIGHTS))
    if average is not None:
        save_file({name: tensor.contiguous() for name, tensor in average.items()}, folder / AVERAGE)
    torch.save({"version": VERSION, **state}, folder / STATE)


def read_checkpoint(folder: Path, model: nn.Module) -> Saved:
    """Load the weights into the model and return the rest, brought to the present version.

    Raises DamagedFile for files that cannot be read or do not fit the model, and for a newer version's.
    """
    try:
        state = torch.load(folder / STATE, map_location="cpu", weights_only=True)
        device = next(model.parameters()).device
        load_model(model, folder / WEIGHTS, strict=True, device=str(device))
        path = folder / AVERAGE
        average = load_file(path) if path.exists() else None
    except UNREADABLE as error:
        raise DamagedFile(
            f"the checkpoint {folder.name} cannot be loaded: {error}",
            hint="it may be of another model, or its config was changed; branch from it only with the same model",
        ) from error
    return Saved(state=migrated(state), average=average)


def migrated(
    state: dict[str, Any], *, steps: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = MIGRATIONS
) -> dict[str, Any]:
    """Bring a state to the present version by the named steps it still lacks. Raises DamagedFile for a newer one's."""
    version = int(state["version"])
    if version > len(steps):
        raise DamagedFile(
            f"the checkpoint has version {version}, this is version {len(steps)}",
            hint="a newer Tutelage wrote it; resume it with that one",
        )
    for name, migrate in list(steps.items())[version:]:
        state = migrate(state)
        assert "version" in state, f"the migration {name} keeps the state's fields"
    return {**state, "version": len(steps)}


def load_weights(model: nn.Module, source: Path, *, exclude: tuple[str, ...] = ()) -> None:
    """Begin with the weights of a checkpoint folder or a `.safetensors` file, but for parameters that are excluded.

    Raises InvalidSpec where there is no such file, or a parameter that is not excluded is missing there or has
    another shape; what the model does not have is left out.
    """
    path = source / WEIGHTS if source.is_dir() else source
    if not path.is_file():
        raise InvalidSpec(f"init_from names no weights: {path}", hint=f"a checkpoint folder, or a {WEIGHTS} file")
    given, excluded = load_file(path), matching(model, exclude)
    wanted = {name: param for name, param in model.named_parameters() if name not in excluded}
    wrong = [name for name, param in wanted.items() if name not in given or given[name].shape != param.shape]
    if wrong:
        raise InvalidSpec(
            f"{len(wrong)} parameters are missing in {path.name} or have another shape there: {', '.join(wrong[:5])}",
            hint="name those that are meant to start fresh in init_exclude",
        )
    own = model.state_dict()
    buffers = {name for name in own if name not in dict(model.named_parameters())}
    with torch.no_grad():
        for name in [*wanted, *(buffers & given.keys())]:
            if own[name].shape == given[name].shape:
                own[name].copy_(given[name])


def are_finite(model: nn.Module) -> bool:
    """Tell whether every weight is a finite number."""
    return all(bool(torch.isfinite(param).all()) for param in model.parameters())
