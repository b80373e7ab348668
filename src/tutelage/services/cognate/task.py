"""What is trained: the language model on a token stream, its memory carried from segment to segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.core.errors import InvalidSpec
from tutelage.services.cognate.data.stream import Segment, Stream
from tutelage.services.cognate.data.tokenizer import EOS_ID, TextTokenizer
from tutelage.services.cognate.evaluation import HeldOut, evaluate
from tutelage.services.cognate.generation import Sampling, generate
from tutelage.services.cognate.model.bank import Bank
from tutelage.services.cognate.model.block import Block
from tutelage.services.cognate.model.causal_lm import CausalLM
from tutelage.services.cognate.segment_step import run_segment
from tutelage.training import Loss

SAMPLE_TOKENS = 64


class LanguageTask:
    """The task that `fit` trains: loss of a segment, evaluation, samples; the memory bank is its state."""

    def __init__(
        self,
        model: CausalLM,
        stream: Stream,
        held_out: HeldOut,
        tokenizer: TextTokenizer,
        *,
        act_tau: float,
        prompt: str,
    ) -> None:
        self._model, self._stream, self._held_out, self._tokenizer = model, stream, held_out, tokenizer
        self._act_tau, self._prompt = act_tau, prompt
        self.bank: Bank | None = None

    @property
    def model(self) -> CausalLM:
        """The model."""
        return self._model

    def batch(self, position: int) -> Segment:
        """Return the segment of every lane at a position."""
        return self._stream.batch(position)

    def loss(self, batch: Segment) -> Loss:
        """Return cross-entropy plus `act_tau` x (N + R), and keep what the memory writes."""
        segment = batch.to(next(self._model.parameters()).device)
        done = run_segment(self._model, segment, self.bank, act_tau=self._act_tau)
        self.bank = done.bank
        return Loss(total=done.total, num_items=done.num_labels, sums=done.sums)

    def evaluate(self) -> Mapping[str, float]:
        """Return the held-out figures; the memory of the training is not touched."""
        return evaluate(self._model, self._held_out, act_tau=self._act_tau)

    def sample(self) -> Mapping[str, Any]:
        """Return a text that the model goes on with."""
        ids = [EOS_ID, *self._tokenizer.encode(self._prompt)]
        sampling = Sampling(max_new_tokens=SAMPLE_TOKENS, temperature=0.8, top_k=50)
        return {"prompt": self._prompt, "text": self._tokenizer.decode(list(generate(self._model, ids, sampling)))}

    def compile(self) -> None:
        """Compile what pays: the blocks, or their parts where a memory is read in between."""
        compile_blocks(self._model)

    def state_dict(self) -> Mapping[str, Any]:
        """Return the bank, and the tokenizer that the weights were learned with."""
        bank = self.bank.tensors() if self.bank is not None else {}
        return {"bank": dict(bank), "tokenizer": self._tokenizer.fingerprint}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back the bank. Raises InvalidSpec where the vocabulary is another one."""
        if state["tokenizer"] != self._tokenizer.fingerprint:
            raise InvalidSpec(
                "the checkpoint was trained with another vocabulary: the texts differ from those it was learned from",
                hint="keep the data settings, or start anew with init_from_path and freeze",
            )
        self.bank = Bank.of(state["bank"]) if state["bank"] else None


def compile_blocks(model: CausalLM) -> None:
    """Compile every block in place; with memory, whose reads are counted on the way, their parts.

    All blocks share one compiled form. Embedding, head and loss stay as they are: the chunked head is faster by itself.
    """
    for block in model.blocks:
        assert isinstance(block, Block), "the model is made of blocks"
        if block.memory is None:
            block.compile()
        else:
            block.attention.compile()
            block.ffn.compile()
