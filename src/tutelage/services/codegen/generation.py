"""From a person's sentence to code: slots found, the model asked, the slots filled in again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tutelage.core.errors import InvalidSpec, NotYet
from tutelage.services.codegen.artifacts import SavedModel
from tutelage.services.codegen.config import DecodingConfig
from tutelage.services.codegen.decoding.write import write
from tutelage.services.codegen.engines.base import SequenceEngine, StepEngine
from tutelage.services.codegen.engines.opening import EngineName, open_engine
from tutelage.services.codegen.language.slots import Prompt, detect, unslot
from tutelage.services.codegen.masks.lexicon import Lexicon
from tutelage.services.codegen.masks.type_mask import TypeMask


@dataclass(frozen=True)
class Generator:
    """One model on one engine."""

    saved: SavedModel
    engine: StepEngine | SequenceEngine

    @classmethod
    def open(cls, saved: SavedModel, *, engine: EngineName, artifacts: Path) -> Generator:
        """Return the generator on the engine of that name. Raises MissingDependency where it is not installed."""
        return cls(saved, open_engine(engine, saved.model, exports=[artifacts]))

    def answer(self, prompt: str, decoding: DecodingConfig, *, retrieve: int = 0) -> dict[str, Any]:
        """Return the code for a prompt, and how it came about. Raises InvalidSpec for a prompt that is too long."""
        if retrieve:
            raise NotYet("retrieved examples are not built yet", hint="leave out --retrieve")
        read = detect(prompt)
        source = self._source(read)
        ids, about = self._written(source, read, decoding)
        return {
            "text": unslot(self.saved.vocabulary.text(ids), read.slots),
            "engine": self.engine.name,
            "prompt_tokens": len(source),
            "new_tokens": len(ids),
            **about,
        }

    @cached_property
    def _lexicon(self) -> Lexicon:
        return Lexicon(self.saved.vocabulary.code)

    def _written(self, source: list[int], prompt: Prompt, decoding: DecodingConfig) -> tuple[list[int], dict[str, Any]]:
        most = self.saved.model.config.max_target_tokens
        if isinstance(self.engine, SequenceEngine):
            [ids] = self.engine.write([source], decoding, max_tokens=most)
            return ids, {}
        bound = min(most, decoding.max_new_tokens)
        mask = TypeMask(self._lexicon, slots=prompt.slots, max_tokens=bound - 1) if decoding.constrain else None
        mask_for = (lambda place: mask) if mask is not None else None
        [written] = write(self.engine, [source], decoding, max_tokens=most, mask_for=mask_for)
        return list(written.ids), {
            "ended": written.is_ended,
            "log_prob": written.log_prob,
            "constrained": mask is not None,
        }

    def _source(self, prompt: Prompt) -> list[int]:
        source = self.saved.vocabulary.source(prompt.text)
        most = self.saved.model.config.max_source_tokens
        if not source or len(source) > most:
            raise InvalidSpec(f"the prompt has {len(source)} tokens; the model reads from 1 to {most}")
        return source
