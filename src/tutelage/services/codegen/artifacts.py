"""What a training leaves behind: weights, config, vocabulary, counts; and how they are read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model

from tutelage.core.errors import DamagedFile, InvalidSpec
from tutelage.services.codegen.config import TransformerConfig
from tutelage.services.codegen.model.breakdown import parameter_breakdown
from tutelage.services.codegen.model.transformer import Transformer
from tutelage.services.codegen.vocabulary import CODE_FILE, SENTENCE_FILE, Vocabulary

WEIGHTS, CONFIG, BREAKDOWN, STATS = (
    "model.safetensors",
    "config.json",
    "parameter_breakdown.json",
    "training_stats.json",
)
MODEL_FILES = (WEIGHTS, CONFIG, CODE_FILE, SENTENCE_FILE, BREAKDOWN)
MODEL_TYPE = "tutelage-codegen"


@dataclass(frozen=True, kw_only=True)
class SavedModel:
    """A trained model and its vocabulary."""

    model: Transformer
    vocabulary: Vocabulary


def save_model_files(folder: Path, model: Transformer, vocabulary: Vocabulary) -> dict[str, int]:
    """Write weights, config, both tokenizers and the parameter breakdown; return the breakdown."""
    save_model(model, str(folder / WEIGHTS))
    write_document(folder / CONFIG, {"model_type": MODEL_TYPE, **model.config.model_dump(mode="json")})
    vocabulary.save(folder)
    breakdown = parameter_breakdown(model)
    write_document(folder / BREAKDOWN, breakdown)
    return breakdown


def load_saved_model(folder: Path) -> SavedModel:
    """Return the model of a folder, in evaluation mode. Raises InvalidSpec where there is none, DamagedFile else."""
    if not (folder / WEIGHTS).is_file():
        raise InvalidSpec(f"there is no model in {folder.name}", hint="it is written when the training completes")
    config = load_config(folder)
    vocabulary = Vocabulary.load(folder)
    if (vocabulary.size, vocabulary.target_size) != (config.vocab_size, config.target_vocab_size):
        raise DamagedFile(f"the tokenizers in {folder.name} are not those that the model was trained with")
    model = Transformer(config)
    try:
        load_model(model, folder / WEIGHTS)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise DamagedFile(f"the weights in {folder.name} cannot be read: {error}") from error
    return SavedModel(model=model.eval(), vocabulary=vocabulary)


def load_config(folder: Path) -> TransformerConfig:
    """Return a saved model's config. Raises DamagedFile."""
    try:
        document = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if document.pop("model_type") != MODEL_TYPE:
            raise DamagedFile(f"{CONFIG} is not that of a codegen model")
        return TransformerConfig.model_validate(document)
    except (OSError, ValueError, KeyError, AttributeError, ValidationError) as error:
        raise DamagedFile(f"the config in {folder.name} cannot be read: {error}") from error


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """Write an artifact as JSON."""
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
