"""One sentence to WGSL, without Tutelage: `python generate.py "write a function glow of float x ..."`.

Needs numpy, tokenizers and onnxruntime, and the folder that this file lies in. Greedy; names and numbers of the
sentence are found, and come back in the code. Written by the integrator phase; MODEL_CARD.md says what of.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from tutelage.services.codegen.language.slots import detect, unslot

SLOT = re.compile(r"<[nv]\d+>")
HERE = Path(__file__).resolve().parent
PAD, UNK, SOS, EOS = range(4)
NUM_FIXED = 4 + 256
"""Special tokens and bytes, before the texts of the vocabulary."""


class Model:
    """The exported model and its two tokenizers."""

    def __init__(self, folder: Path, *, quantization: str = "int8") -> None:
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.tokens = json.loads((folder / "code_tokenizer.json").read_text(encoding="utf-8"))["tokens"]
        self.sentences = Tokenizer.from_str((folder / "sentence_tokenizer.json").read_text(encoding="utf-8"))
        self.joined = self._joined()
        graphs = folder / "onnx" / quantization
        self.encoder, self.stepper = (self._session(graphs / name) for name in ("encoder.onnx", "step.onnx"))

    def write(self, prompt: str) -> str:
        """Return the code for a sentence."""
        read = detect(prompt)
        ids = [self.joined[token] for token in self.sentences.encode(read.text, add_special_tokens=False).ids]
        if not 1 <= len(ids) <= self.config["max_source_tokens"]:
            raise SystemExit(f"the prompt has {len(ids)} tokens; allowed: 1 to {self.config['max_source_tokens']}")
        return unslot(self.text(self.greedy(ids)), read.slots)

    def greedy(self, source: list[int]) -> list[int]:
        """Return the ids of the likeliest tokens, one after the other."""
        length = len(source)
        mask = np.zeros((1, 1, 1, length), np.float32)
        feed: dict[str, Any] = {"source": np.array([source], np.int64), "mask": mask}
        feed["positions"] = np.arange(length, dtype=np.int64)
        memory = self.encoder.run(None, feed)
        head = self.config["d_model"] // self.config["num_heads"]
        grown = [np.zeros((1, self.config["num_heads"], 0, head), np.float32) for _ in memory]
        written = [SOS]
        while len(written) <= self.config["max_target_tokens"] and written[-1] != EOS:
            first = len(written) - 1
            feed = {
                "ids": np.array([[written[-1]]], np.int64),
                "positions": np.array([first], np.int64),
                "causal": np.zeros((1, first + 1), np.float32),
                "mask": mask,
            }
            for layer in range(len(memory) // 2):
                feed[f"key_{layer}"], feed[f"value_{layer}"] = grown[2 * layer], grown[2 * layer + 1]
                feed[f"memory_key_{layer}"] = memory[2 * layer]
                feed[f"memory_value_{layer}"] = memory[2 * layer + 1]
            logits, *grown = self.stepper.run(None, feed)
            scores = logits[0, -1]
            scores[[PAD, UNK, SOS]] = -np.inf
            written.append(int(scores.argmax()))
        return [token for token in written[1:] if token != EOS]

    def text(self, ids: list[int]) -> str:
        """Return the code of ids."""
        parts = [bytes([i - 4]) if 4 <= i < NUM_FIXED else self.tokens[i].encode() for i in ids if i >= 4]
        return b"".join(parts).decode(errors="replace")

    def _joined(self) -> list[int]:
        """Return each sentence token's id in the joint table: slots and special tokens are the code's own."""
        codes = {token: index for index, token in enumerate(self.tokens)}
        shared = ("<pad>", "<unk>", "<sos>", "<eos>")
        joined, following = [], len(self.tokens)
        for index in range(self.sentences.get_vocab_size()):
            token = str(self.sentences.id_to_token(index))
            if token in shared or SLOT.fullmatch(token):
                joined.append(codes[token])
            else:
                joined.append(following)
                following += 1
        return joined

    @staticmethod
    def _session(path: Path) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def check(folder: Path) -> None:
    """Compare every file with SHA256SUMS; end with the first one that differs."""
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise SystemExit(f"{name} is missing or was changed")


def main() -> None:
    """Read the arguments, and print the code."""
    parser = argparse.ArgumentParser(description="A sentence to WGSL.")
    parser.add_argument("prompt", help="what the code shall do; - reads it from standard input")
    parser.add_argument("--quantization", choices=["int8", "float32"], default="int8")
    parser.add_argument("--check", action="store_true", help="compare every file with SHA256SUMS first")
    arguments = parser.parse_args()
    if arguments.check:
        check(HERE)
    prompt = sys.stdin.read() if arguments.prompt == "-" else arguments.prompt
    sys.stdout.write(Model(HERE, quantization=arguments.quantization).write(prompt) + "\n")


if __name__ == "__main__":
    main()
