"""Held-out figures: loss, cross-entropy, bits per byte, and answers compared word for word."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from tutelage.services.cognate.data.sample import Sample
from tutelage.services.cognate.data.stream import Corpus, Stream
from tutelage.services.cognate.data.tokenizer import EOS_ID, TextTokenizer
from tutelage.services.cognate.generation import Sampling, generate
from tutelage.services.cognate.model.causal_lm import CausalLM
from tutelage.services.cognate.segment_step import run_segment

EVAL_LANES = 8
ANSWER_TOKENS = 96


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """What is held out: a stream of one epoch, and the bytes of its text."""

    stream: Stream
    num_bytes: int
    num_documents: int

    @classmethod
    def of(
        cls, samples: Sequence[Sample], tokenizer: TextTokenizer, *, segment_len: int, max_seq_len: int, at_most: int
    ) -> HeldOut:
        """Take samples until they hold `at_most` tokens; the last one may be cut."""
        kept: list[Sample] = []
        room = at_most
        for sample in samples:
            if room <= 0:
                break
            ids = tokenizer.encode(sample.text)
            text = sample.text if len(ids) <= room else tokenizer.decode(ids[:room])
            kept.append(Sample.of(text, sample.dataset))
            room -= len(ids)
        corpus = Corpus.of(kept, tokenizer, max_seq_len=max_seq_len)
        lanes = max(1, min(EVAL_LANES, corpus.num_tokens // segment_len))
        stream = Stream(corpus, lanes=lanes, segment_len=segment_len, seed=None)
        return cls(stream=stream, num_bytes=corpus.num_bytes, num_documents=len(kept))


@torch.no_grad()
def evaluate(model: CausalLM, held_out: HeldOut, *, act_tau: float) -> dict[str, float]:
    """Return `val_loss` as it is trained, `val_ce` in nats a token, `val_bits_per_byte` and mean ponder steps."""
    total, num_labels, bank = 0.0, 0, None
    sums: dict[str, float] = {}
    for position in range(held_out.stream.segments):
        segment = held_out.stream.batch(position).to(next(model.parameters()).device)
        done = run_segment(model, segment, bank, act_tau=act_tau)
        bank = done.bank
        total, num_labels = total + float(done.total), num_labels + done.num_labels
        for name, value in done.sums.items():
            sums[name] = sums.get(name, 0.0) + float(value)
    figures = {f"val_{name}": value / num_labels for name, value in sums.items()}
    bits = sums["ce"] / math.log(2)
    return {"val_loss": total / num_labels, "val_bits_per_byte": bits / held_out.num_bytes, **figures}


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How many held-out questions were answered word for word, and some of the answers."""

    num_right: int
    num_asked: int
    shown: Sequence[Mapping[str, str]]

    @property
    def exact_match(self) -> float | None:
        """Share of right answers; None where nothing was asked."""
        return self.num_right / self.num_asked if self.num_asked else None


def answer_questions(
    model: CausalLM, tokenizer: TextTokenizer, samples: Sequence[Sample], *, at_most: int, num_shown: int = 3
) -> Answered:
    """Answer the first `at_most` samples that have an answer, without sampling, and compare."""
    asked = [sample for sample in samples if sample.prompt is not None and sample.answer is not None][:at_most]
    num_right = 0
    shown: list[dict[str, str]] = []
    for sample in asked:
        ids = [EOS_ID, *tokenizer.encode(sample.prompt or "")]
        text = tokenizer.decode(list(generate(model, ids, Sampling(max_new_tokens=ANSWER_TOKENS, temperature=0.0))))
        found, wanted = final_answer(text), normalized(sample.answer or "")
        num_right += found == wanted
        if len(shown) < num_shown:
            shown.append({"prompt": (sample.prompt or "")[-200:], "wanted": sample.answer or "", "got": text[:200]})
    return Answered(num_right=num_right, num_asked=len(asked), shown=shown)


def final_answer(text: str) -> str:
    """Return what a generated text answers: behind `####` where it has one, else its first line."""
    _, mark, behind = text.rpartition("####")
    lines = (behind if mark else text).strip().splitlines()
    return normalized(lines[0]) if lines else ""


def normalized(answer: str) -> str:
    """Return an answer as it is compared: lower case, without commas in numbers, final dots and outer blanks."""
    return answer.strip().rstrip(".").replace(",", "").casefold()
