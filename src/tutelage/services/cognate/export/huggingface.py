"""A folder that `transformers` loads: weights, config, tokenizer, and the model's own source files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from tutelage.services.cognate import model as model_package
from tutelage.services.cognate.data.tokenizer import EOS, EOS_ID, PAD, PAD_ID, TextTokenizer
from tutelage.services.cognate.model.causal_lm import CausalLM

MODELLING = "modeling_cognate.py"
PACKAGE = "tutelage.services.cognate.model."


def export_folder(folder: Path, model: CausalLM, tokenizer: TextTokenizer) -> None:
    """Write the folder. A head tied to the embedding is written as a matrix of its own, with equal values."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {f"lm.{name}": tensor.detach().clone().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    _write(folder / "config.json", _config(model))
    _write(folder / "generation_config.json", {"eos_token_id": EOS_ID, "pad_token_id": PAD_ID, "use_cache": False})
    tokenizer.save(folder / "tokenizer.json")
    _write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": EOS, "eos_token": EOS, "pad_token": PAD},
    )
    for source in _sources():
        (folder / source.name).write_text(source.read_text(encoding="utf-8").replace(PACKAGE, "."), encoding="utf-8")


def _config(model: CausalLM) -> dict[str, Any]:
    settings = replace(model.settings, tie_embeddings=False)
    return {
        "model_type": "cognate",
        "architectures": ["CognateForCausalLM"],
        "auto_map": {
            "AutoConfig": f"{MODELLING.removesuffix('.py')}.CognateConfig",
            "AutoModelForCausalLM": f"{MODELLING.removesuffix('.py')}.CognateForCausalLM",
        },
        "settings": settings.document(),
        "bos_token_id": EOS_ID,
        "eos_token_id": EOS_ID,
        "pad_token_id": PAD_ID,
        "tie_word_embeddings": False,
        "use_cache": False,
        "dtype": "float32",
    }


def _sources() -> list[Path]:
    """Return the modelling file and those of the model, which import nothing but torch and one another."""
    own = Path(str(model_package.__file__)).parent
    parts = [path for path in sorted(own.glob("*.py")) if path.name not in ("__init__.py", "breakdown.py")]
    return [Path(__file__).with_name(MODELLING), *parts]


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n")
