"""From a person's sentence to code: slots found, the model asked, the slots filled in again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tutelage.core.errors import InvalidSpec
from tutelage.services.codegen.artifacts import SavedModel
from tutelage.services.codegen.config import DecodingConfig
from tutelage.services.codegen.data.pairs import Pair
from tutelage.services.codegen.decoding.drafting import write_from_draft
from tutelage.services.codegen.decoding.write import write
from tutelage.services.codegen.engines.base import SequenceEngine, StepEngine
from tutelage.services.codegen.engines.opening import EngineName, open_engine
from tutelage.services.codegen.known import KNOWN, load_known
from tutelage.services.codegen.language.slots import Prompt, detect, unslot
from tutelage.services.codegen.masks.lexicon import Lexicon
from tutelage.services.codegen.masks.type_mask import TypeMask
from tutelage.services.codegen.reading import Retrieval
from tutelage.services.codegen.retrieval.index import RetrievalIndex

SHOWN_CHARS = 200


@dataclass(frozen=True)
class Generator:
    """One model on one engine."""

    saved: SavedModel
    engine: StepEngine | SequenceEngine
    artifacts: Path
    reads_examples: bool = False
    """Whether the encoder was trained with retrieved examples beside the sentence."""

    @classmethod
    def open(cls, artifacts: Path, saved: SavedModel, *, engine: EngineName, reads_examples: bool = False) -> Generator:
        """Return the generator on the engine of that name. Raises MissingDependency where it is not installed."""
        opened = open_engine(engine, saved.model, exports=[artifacts])
        return cls(saved, opened, artifacts, reads_examples)

    def answer(self, prompt: str, decoding: DecodingConfig, *, retrieve: int = 0) -> dict[str, Any]:
        """Return the code for a prompt, and how it came about. Raises InvalidSpec for a prompt that is too long."""
        read = detect(prompt)
        near = self._index.nearest(read.text, retrieve) if retrieve else []
        source = self._source(read, near)
        ids, about = self._written(source, read, decoding, near)
        return {
            "text": unslot(self.saved.vocabulary.text(ids), read.slots),
            "engine": self.engine.name,
            "prompt_tokens": len(source),
            "new_tokens": len(ids),
            "retrieved": [pair.slotted_sentence[:SHOWN_CHARS] for pair in near],
            **about,
        }

    def write_all(self, prompts: Sequence[str], decoding: DecodingConfig, *, retrieve: int = 0) -> list[str]:
        """Return the code for each prompt, side by side in batches; retrieved examples are read, never drafts.

        Raises InvalidSpec as `answer` does.
        """
        read = [detect(prompt) for prompt in prompts]
        sources = [self._source(each, self._index.nearest(each.text, retrieve) if retrieve else []) for each in read]
        most = self.saved.model.config.max_target_tokens
        if isinstance(self.engine, SequenceEngine):
            ids: Sequence[Sequence[int]] = self.engine.write(sources, decoding, max_tokens=most)
        else:
            mask_for = (lambda place: self._mask(read[place], decoding)) if decoding.constrain else None
            ids = [each.ids for each in write(self.engine, sources, decoding, max_tokens=most, mask_for=mask_for)]
        return [unslot(self.saved.vocabulary.text(own), each.slots) for own, each in zip(ids, read, strict=True)]

    def _mask(self, prompt: Prompt, decoding: DecodingConfig) -> TypeMask:
        bound = min(self.saved.model.config.max_target_tokens, decoding.max_new_tokens)
        return TypeMask(self._lexicon, slots=prompt.slots, max_tokens=bound - 1)

    @cached_property
    def _lexicon(self) -> Lexicon:
        return Lexicon(self.saved.vocabulary.code)

    @cached_property
    def _index(self) -> RetrievalIndex:
        return RetrievalIndex(load_known(self.artifacts / KNOWN))

    def _written(
        self, source: list[int], prompt: Prompt, decoding: DecodingConfig, near: Sequence[Pair]
    ) -> tuple[list[int], dict[str, Any]]:
        most = self.saved.model.config.max_target_tokens
        if isinstance(self.engine, SequenceEngine):
            [ids] = self.engine.write([source], decoding, max_tokens=most)
            return ids, {}
        bound = min(most, decoding.max_new_tokens)
        mask = self._mask(prompt, decoding) if decoding.constrain else None
        if near and decoding.beam == 1 and not decoding.draws:
            drafts = [self.saved.vocabulary.target(pair.slotted_code) for pair in near]
            written = write_from_draft(
                self.engine, source, drafts, max_tokens=bound, verify_tokens=decoding.verify_tokens, mask=mask
            )
        else:
            mask_for = (lambda place: mask) if mask is not None else None
            [written] = write(self.engine, [source], decoding, max_tokens=most, mask_for=mask_for)
        return list(written.ids), {
            "ended": written.is_ended,
            "log_prob": written.log_prob,
            "constrained": mask is not None,
            "steps": written.num_steps,
        }

    def _source(self, prompt: Prompt, near: Sequence[Pair]) -> list[int]:
        """Return what the encoder reads; examples only where it was trained to, else they are drafts alone."""
        most = self.saved.model.config.max_source_tokens
        source = self.saved.vocabulary.source(prompt.text)
        if near and self.reads_examples:
            retrieval = Retrieval(index=self._index, vocabulary=self.saved.vocabulary, count=len(near), most=most)
            source = retrieval.source(prompt.text, slots=prompt.slots)
        if not source or len(source) > most:
            raise InvalidSpec(f"the prompt has {len(source)} tokens; the model reads from 1 to {most}")
        return source
