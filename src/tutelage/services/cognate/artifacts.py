"""What a training leaves behind: the model in two forms, its tokenizer, counts, figures, the memory, the log."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, load_model, save_file, save_model

from tutelage.core.errors import DamagedFile, InvalidSpec
from tutelage.core.events import BadLine, EventKind, decode_line
from tutelage.core.layout import OperationFiles
from tutelage.core.ports import Run
from tutelage.services.cognate.data.tokenizer import TextTokenizer
from tutelage.services.cognate.model.bank import Bank
from tutelage.services.cognate.model.breakdown import bank_bytes, parameter_breakdown
from tutelage.services.cognate.model.causal_lm import CausalLM
from tutelage.services.cognate.model.settings import ModelSettings

WEIGHTS, TORCH_WEIGHTS, CONFIG = "model.safetensors", "pytorch_model.bin", "config.json"
TOKENIZER, STATS, BREAKDOWN = "tokenizer.json", "training_stats.json", "parameter_breakdown.json"
BANK, LOG = "memory_bank.safetensors", "training_log.jsonl"


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Where one model's artifacts lie: the operation's folder of artifacts, or a folder in it for one of several."""

    run: Run
    folder: str = ""

    def path(self, name: str) -> Path:
        """Return the path of an artifact."""
        return self.run.artifact(self.name(name))

    def name(self, name: str) -> str:
        """Return an artifact's name within the operation."""
        return f"{self.folder}/{name}" if self.folder else name


def save_model_files(shelf: Shelf, model: CausalLM, tokenizer: TextTokenizer, bank: Bank | None) -> dict[str, int]:
    """Write weights, config, tokenizer, parameter breakdown and the bank; return the breakdown."""
    save_model(model, str(shelf.path(WEIGHTS)))
    torch.save(model.state_dict(), shelf.path(TORCH_WEIGHTS))
    _write(shelf.path(CONFIG), {"model_type": "cognate", **model.settings.document()})
    tokenizer.save(shelf.path(TOKENIZER))
    breakdown = parameter_breakdown(model)
    _write(
        shelf.path(BREAKDOWN),
        {"parameters": breakdown, "buffers": {"memory_bank_bytes_per_sequence": bank_bytes(model)}},
    )
    if bank is not None:
        save_file({name: part.contiguous() for name, part in bank.tensors().items()}, shelf.path(BANK))
    return breakdown


def load_saved_model(folder: Path) -> tuple[CausalLM, TextTokenizer]:
    """Return the model and the tokenizer of a folder of artifacts. Raises InvalidSpec or DamagedFile."""
    if not (folder / WEIGHTS).is_file():
        raise InvalidSpec(f"there is no model in {folder.name}", hint="it is written when the training completes")
    try:
        document = json.loads((folder / CONFIG).read_text())
        document.pop("model_type")
        model = CausalLM(ModelSettings.of(document))
        load_model(model, folder / WEIGHTS)
        tokenizer = TextTokenizer.load(folder / TOKENIZER)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise DamagedFile(f"the model in {folder.name} cannot be read: {error}") from error
    return model.eval(), tokenizer


def load_bank(path: Path) -> Bank:
    """Return a bank that was written as `memory_bank.safetensors`."""
    return Bank.of(load_file(path))


def write_log(shelf: Shelf, scope: str) -> float:
    """Write every metric of a scope to `training_log.jsonl`, a line a step; return the seconds of all steps.

    Read from the event files: the newest attempt's values count, as everywhere.
    """
    steps: dict[int, dict[str, float]] = {}
    for path in sorted(OperationFiles(shelf.run.dir).events.glob("*.ndjson")):
        for step, values in _metrics(path, scope):
            steps.setdefault(step, {}).update(values)
    lines = [json.dumps({"step": step, **_finite(steps[step])}) for step in sorted(steps)]
    shelf.path(LOG).write_text("".join(f"{line}\n" for line in lines))
    return math.fsum(float(values.get("step_s", 0.0)) for values in steps.values())


def write_json(shelf: Shelf, name: str, document: Mapping[str, Any]) -> None:
    """Write an artifact as JSON."""
    _write(shelf.path(name), document)


def _metrics(path: Path, scope: str) -> Iterator[tuple[int, dict[str, float]]]:
    attempt = int(path.stem)
    block = path.read_bytes()
    for line in block[: block.rfind(b"\n") + 1].splitlines(keepends=True):
        try:
            event = decode_line(line, attempt=attempt, offset=0)
        except BadLine:
            continue
        if event.kind is EventKind.METRIC and event.scope == scope and event.step is not None:
            yield event.step, event.data.get("values", {})


def _finite(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, str) or math.isfinite(value) else str(value) for name, value in values.items()
    }


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
