"""One sentence to WGSL, without Tutelage: `python generate.py "write a function glow of float x ..."`.

Needs the folder that this file lies in, numpy, and ctranslate2 or onnxruntime. Names and numbers of the sentence are
found, and come back in the code. Written by the integrator phase; MODEL_CARD.md says what of.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import importlib.util
import itertools
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.services.codegen.language.slots import detect, unslot

SPECIALS = ("<pad>", "<unk>", "<sos>", "<eos>")
PAD, UNK, SOS, EOS = range(4)
NUM_FIXED = len(SPECIALS) + 256
"""The special tokens, then the bytes."""

MAX_NEW_TOKENS = 512
MODEL_FILES = {"ct2": "model.bin", "onnx": "step.onnx"}
FOLDERS = {"ct2": "ctranslate2", "onnx": "onnx"}
MODULES = {"ct2": "ctranslate2", "onnx": "onnxruntime"}

WORDS = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
"""How the byte-level BPE cuts a text before it merges (Radford et al. 2019)."""


class Problem(Exception):
    """Something that the caller can mend."""


class Sentences:
    """The sentences' byte-level BPE, from the file of the tokenizers' library."""

    def __init__(self, path: Path) -> None:
        document = json.loads(path.read_text(encoding="utf-8"))
        self.ids: dict[str, int] = dict(document["model"]["vocab"])
        merges = [
            tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in document["model"]["merges"]
        ]
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        whole = sorted((token["content"] for token in document["added_tokens"]), key=len, reverse=True)
        self._whole = re.compile("|".join(rf"\s*{re.escape(text)}\s*" for text in whole))
        self._letters = _letters_of_bytes()

    def encode(self, text: str) -> list[int]:
        """Return the ids of a sentence; slots and marks are one id each."""
        found, start = [], 0
        for match in self._whole.finditer(text):
            found += self._plain(text[start : match.start()])
            found.append(self.ids[match.group().strip()])
            start = match.end()
        return found + self._plain(text[start:])

    def _plain(self, text: str) -> list[int]:
        text = unicodedata.normalize("NFKC", text).lower()
        if not text:
            return []
        spaced = text if text[0].isspace() else f" {text}"
        return [index for word in WORDS.findall(spaced) for index in self._merged(word)]

    @functools.lru_cache(maxsize=4096)  # noqa: B019 - one tokenizer a program
    def _merged(self, word: str) -> list[int]:
        parts = [self._letters[byte] for byte in word.encode()]
        while len(parts) > 1:
            pairs = [(self._ranks.get(pair, len(self._ranks)), at) for at, pair in enumerate(itertools.pairwise(parts))]
            rank, at = min(pairs)
            if rank == len(self._ranks):
                break
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return [self.ids[part] for part in parts]


def _letters_of_bytes() -> list[str]:
    """Return the printable letter that stands for each byte in a byte-level vocabulary."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("\xa1"), ord("\xac") + 1), *range(ord("\xae"), 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


class Vocabulary:
    """Joins both languages: the code's ids first, then what only sentences hold."""

    def __init__(self, folder: Path) -> None:
        self._tokens: list[str] = json.loads((folder / "code_tokenizer.json").read_text(encoding="utf-8"))["tokens"]
        self._sentences = Sentences(folder / "sentence_tokenizer.json")
        codes = {token: index for index, token in enumerate(self._tokens)}
        following = iter(range(len(self._tokens), len(self._tokens) + len(self._sentences.ids)))
        by_id = sorted(self._sentences.ids, key=lambda token: self._sentences.ids[token])
        self._joined = [codes[token] if _is_shared(token) else next(following) for token in by_id]

    def source(self, sentence: str) -> list[int]:
        """Return what the encoder reads."""
        return [self._joined[index] for index in self._sentences.encode(sentence)]

    def text(self, ids: Sequence[int]) -> str:
        """Return the code that was written."""
        return b"".join(self._bytes(index) for index in ids).decode(errors="replace")

    def _bytes(self, index: int) -> bytes:
        if index < len(SPECIALS):
            return b""
        return bytes([index - len(SPECIALS)]) if index < NUM_FIXED else self._tokens[index].encode()


def _is_shared(token: str) -> bool:
    return token in SPECIALS or re.fullmatch(r"<[nv]\d+>", token) is not None


def write_with_ctranslate2(folder: Path, source: Sequence[int], *, max_tokens: int, beam: int) -> list[int]:
    """Return the ids that CTranslate2 writes."""
    import ctranslate2

    def name(index: int) -> str:
        return SPECIALS[index] if index < len(SPECIALS) else f"t{index}"

    translator = ctranslate2.Translator(str(folder), device="cpu", inter_threads=1)
    [answer] = translator.translate_batch(
        [[name(index) for index in source]],
        beam_size=beam,
        max_decoding_length=max_tokens,
        max_input_length=0,
        suppress_sequences=[[SPECIALS[index]] for index in (PAD, UNK, SOS)],
    )
    return [int(text[1:]) for text in answer.hypotheses[0] if text not in SPECIALS]


def write_with_onnx(folder: Path, source: Sequence[int], *, max_tokens: int, beam: int) -> list[int]:
    """Return the ids that ONNX Runtime writes, greedily. Raises Problem for a beam."""
    import onnxruntime

    if beam != 1:
        raise Problem("a beam needs CTranslate2: pip install ctranslate2, or leave out --beam")

    def opened(name: str) -> Any:
        return onnxruntime.InferenceSession(str(folder / name), providers=["CPUExecutionProvider"])

    encoder, decoder = opened("encoder.onnx"), opened("step.onnx")
    ids = np.array([source], np.int64)
    mask = np.zeros((1, 1, 1, ids.shape[1]), np.float32)
    memory = encoder.run(None, {"source": ids, "positions": np.arange(ids.shape[1], dtype=np.int64), "mask": mask})
    empty = np.zeros((1, memory[0].shape[1], 0, memory[0].shape[3]), np.float32)
    kept, written, token = [empty] * len(memory), [], SOS
    for place in range(max_tokens):
        feed = {
            "ids": np.array([[token]], np.int64),
            "positions": np.array([place], np.int64),
            "causal": np.zeros((1, place + 1), np.float32),
            "mask": mask,
        }
        for index in range(len(memory) // 2):
            feed[f"key_{index}"], feed[f"value_{index}"] = kept[2 * index], kept[2 * index + 1]
            feed[f"memory_key_{index}"], feed[f"memory_value_{index}"] = memory[2 * index], memory[2 * index + 1]
        logits, *kept = decoder.run(None, feed)
        logits[0, 0, [PAD, UNK, SOS]] = -np.inf
        token = int(logits[0, 0].argmax())
        if token == EOS:
            break
        written.append(token)
    return written


WRITERS: dict[str, Callable[..., list[int]]] = {"ct2": write_with_ctranslate2, "onnx": write_with_onnx}


def generate(folder: Path, prompt: str, *, engine: str, quantization: str, max_tokens: int, beam: int) -> str:
    """Return the code for a sentence, with its names and numbers put in. Raises Problem for one that is too long."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    vocabulary, read = Vocabulary(folder), detect(prompt)
    source = vocabulary.source(read.text)
    most = config["max_source_tokens"]
    if not 0 < len(source) <= most:
        raise Problem(f"the prompt has {len(source)} tokens; the model reads from 1 to {most}")
    bound = min(max_tokens, config["max_target_tokens"])
    model = folder / FOLDERS[engine] / quantization
    ids = WRITERS[engine](model, source, max_tokens=bound, beam=beam)
    return str(unslot(vocabulary.text(ids), read.slots))


def engines(folder: Path, quantization: str) -> Iterator[str]:
    """Yield the engines whose model is in the folder and whose library is installed."""
    for name, module in MODULES.items():
        if (folder / FOLDERS[name] / quantization / MODEL_FILES[name]).is_file() and importlib.util.find_spec(module):
            yield name


def check(folder: Path) -> None:
    """Compare every file with SHA256SUMS. Raises Problem for the first one that differs."""
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise Problem(f"{name} is missing or was changed")


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line, write the code; 1 where something is amiss."""
    parser = argparse.ArgumentParser(description="Turn a sentence into WGSL.")
    parser.add_argument("prompt", help="what the code shall do, in a sentence; - reads it from standard input")
    parser.add_argument("--check", action="store_true", help="compare every file with SHA256SUMS first")
    parser.add_argument("--engine", choices=sorted(MODULES), help="default: the first one that is installed")
    parser.add_argument("--quantization", choices=("int8", "float32"), default="int8")
    parser.add_argument("--beam", type=int, default=1, help="hypotheses kept side by side; CTranslate2 only")
    parser.add_argument("--max-new-tokens", type=int, default=MAX_NEW_TOKENS)
    parser.add_argument("-o", "--output", type=Path, help="write the code there")
    asked = parser.parse_args(arguments)
    folder = Path(__file__).resolve().parent
    try:
        if asked.check:
            check(folder)
        there = list(engines(folder, asked.quantization))
        engine = asked.engine or next(iter(there), None)
        if engine not in there:
            raise Problem("no engine is installed: pip install ctranslate2, or onnxruntime and numpy")
        code = generate(
            folder,
            sys.stdin.read() if asked.prompt == "-" else asked.prompt,
            engine=engine,
            quantization=asked.quantization,
            max_tokens=asked.max_new_tokens,
            beam=asked.beam,
        )
    except Problem as problem:
        sys.stderr.write(f"error: {problem}\n")
        return 1
    if asked.output:
        asked.output.write_text(code + "\n", encoding="utf-8")
    else:
        sys.stdout.write(code + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
