"""The Hugging Face folder: the same logits and the same text once it is loaded by transformers."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from cognate_support import FORMS, small_model, small_tokenizer, some_tokens
from safetensors.torch import save_file

from tutelage.services.cognate.export.huggingface import export_folder
from tutelage.services.cognate.model.causal_lm import CausalLM
from tutelage.services.cognate.model.reading import logits_of

LOAD = """
import sys, torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer
folder, given, found = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True).eval()
tokens = load_file(given)["tokens"]
with torch.no_grad():
    logits = model(tokens).logits
    written = model.generate(tokens[:1, :3], max_new_tokens=6, do_sample=False)
ids = AutoTokenizer.from_pretrained(folder)("the cat sat").input_ids
assert not any(name.split(".")[0] == "tutelage" for name in sys.modules), "the folder stands by itself"
save_file({"logits": logits, "written": written, "ids": torch.tensor(ids)}, found)
"""


def exported(folder: Path, model: CausalLM) -> Path:
    export_folder(folder, model, small_tokenizer())
    return folder


def test_the_folder_holds_sources_that_import_nothing_of_ours(tmp_path: Path) -> None:
    folder = exported(tmp_path, small_model(vocab_size=270, **FORMS["act and memory"]))
    sources = sorted(path.name for path in folder.glob("*.py"))
    assert {"modeling_cognate.py", "causal_lm.py", "memory.py", "act.py"} <= set(sources)
    assert [name for name in sources if "tutelage." in (folder / name).read_text()] == []


@pytest.mark.slow  # loads transformers in a process of its own, twice
@pytest.mark.skipif(not find_spec("transformers"), reason="transformers is not installed")
@pytest.mark.parametrize("form", ["act and memory", "recurrent with memory", "plain"])
def test_loaded_by_transformers_it_has_the_same_logits(form: str, tmp_path: Path) -> None:
    """Over more than one segment, so that the memory takes part."""
    model = small_model(vocab_size=270, tie_embeddings=form == "plain", **FORMS[form])
    folder, tokens = exported(tmp_path / "model", model), some_tokens(2, 19, vocab_size=270)
    given, found = tmp_path / "given.safetensors", tmp_path / "found.safetensors"
    save_file({"tokens": tokens}, given)
    environment = {"HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder), str(given), str(found)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    from safetensors.torch import load_file

    loaded = load_file(found)
    with torch.no_grad():
        assert torch.allclose(loaded["logits"], logits_of(model, tokens), atol=1e-5)
        ids = tokens[:1, :3]
        for _ in range(6):
            ids = torch.cat((ids, logits_of(model, ids)[:, -1:].argmax(-1)), 1)
    written = loaded["written"]
    assert torch.equal(written, ids[:, : written.shape[1]])
    assert loaded["ids"].tolist() == small_tokenizer().encode("the cat sat")
