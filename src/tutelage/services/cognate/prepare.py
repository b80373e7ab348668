"""From a config to tokens: sources, mix, tokenizer, streams. The same config and seed give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.core.errors import InvalidSpec
from tutelage.core.ports import Run
from tutelage.services.cognate.config import CognateConfig
from tutelage.services.cognate.data.mixing import Mix, mix
from tutelage.services.cognate.data.sample import Sample
from tutelage.services.cognate.data.stream import Corpus
from tutelage.services.cognate.data.tokenizer import TextTokenizer
from tutelage.services.cognate.evaluation import HeldOut
from tutelage.services.cognate.sources.load import Texts, load_texts

SUMMARY = "download_summary.json"
PROMPT_CHARS = 60


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Everything that training reads, besides the model."""

    tokenizer: TextTokenizer
    corpus: Corpus
    held_out: HeldOut
    held_out_samples: Sequence[Sample]
    datasets: dict[str, int]
    """Dataset -> samples in the mix."""
    prompt: str
    """What samples begin with: the beginning of the first held-out text."""


def prepare(config: CognateConfig, run: Run, *, seed: int, folder: str = "") -> Prepared:
    """Load, mix, tokenize; writes `download_summary.json` into `folder` of the artifacts.

    Raises SourceMissing, DamagedFile or InvalidSpec.
    """
    texts = load_texts(config, seed=seed)
    for name, reason in texts.missing.items():
        run.log(f"the source {name} is missing and left out: {reason}", level="warning")
    train = mix(texts.train, short_share=config.short_share, at_most=config.max_train_samples, seed=seed)
    held_out = mix(texts.held_out, short_share=config.short_share, at_most=config.max_eval_samples, seed=seed + 1)
    if not train.samples or not held_out.samples:
        raise InvalidSpec(
            f"{len(train.samples)} texts to learn from and {len(held_out.samples)} held out: both are needed",
            hint="a tenth is held out, so give two texts at least",
        )
    if train.note:
        run.log(f"mix: {train.note}")
    _write_summary(run.artifact(f"{folder}/{SUMMARY}" if folder else SUMMARY), texts, train, held_out)
    return _tokenized(config, train, held_out)


def data_key(config: CognateConfig) -> str:
    """Return what the prepared data depends on: two configs with the same key share it."""
    fields = (
        "dataset_sources", "data_dir", "gsm8k_path", "svamp_path", "hotpotqa_path", "text_dirs", "allow_partial",
        "allow_download", "short_share", "max_train_samples", "max_eval_samples", "max_eval_tokens", "vocab_size",
        "max_seq_len", "segment_len",
    )  # fmt: skip
    return json.dumps([getattr(config, name) for name in fields])


def _tokenized(config: CognateConfig, train: Mix, held_out: Mix) -> Prepared:
    tokenizer = TextTokenizer.train([sample.text for sample in train.samples], vocab_size=config.vocab_size)
    return Prepared(
        tokenizer=tokenizer,
        corpus=Corpus.of(train.samples, tokenizer, max_seq_len=config.max_seq_len),
        held_out=HeldOut.of(
            held_out.samples,
            tokenizer,
            segment_len=config.segment_len,
            max_seq_len=config.max_seq_len,
            at_most=config.max_eval_tokens,
        ),
        held_out_samples=held_out.samples,
        datasets=train.by_dataset,
        prompt=_prompt(held_out.samples[0]),
    )


def _prompt(sample: Sample) -> str:
    return sample.prompt if sample.prompt and len(sample.prompt) <= 400 else sample.text[:PROMPT_CHARS]


def _write_summary(path: Path, texts: Texts, train: Mix, held_out: Mix) -> None:
    document: dict[str, Any] = {
        **texts.summary,
        "mix": {
            "train_samples": len(train.samples),
            "short": train.num_short,
            "long": train.num_long,
            "by_dataset": train.by_dataset,
            "note": train.note,
            "held_out_samples": len(held_out.samples),
            "held_out_by_dataset": held_out.by_dataset,
        },
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
