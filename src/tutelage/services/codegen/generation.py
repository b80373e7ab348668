"""From a person's sentence to code: slots found, the model asked, the slots filled in again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.core.errors import InvalidSpec, NotYet
from tutelage.services.codegen.artifacts import SavedModel
from tutelage.services.codegen.config import DecodingConfig
from tutelage.services.codegen.decoding.write import write
from tutelage.services.codegen.engines.base import StepEngine
from tutelage.services.codegen.engines.torch_engine import TorchEngine
from tutelage.services.codegen.language.slots import Prompt, detect, unslot


@dataclass(frozen=True, kw_only=True)
class Generator:
    """One model on one engine."""

    saved: SavedModel
    engine: StepEngine

    @classmethod
    def open(cls, saved: SavedModel, *, engine: str, artifacts: Path) -> Generator:
        """Return the generator on the engine of that name. Raises NotYet for one that is not built."""
        if engine != "torch":
            raise NotYet(f"the engine {engine!r} is not built yet", hint="built: torch")
        return cls(saved=saved, engine=TorchEngine(saved.model))

    def answer(self, prompt: str, decoding: DecodingConfig, *, retrieve: int) -> dict[str, Any]:
        """Return the code for a prompt, and how it came about. Raises InvalidSpec for a prompt that is too long."""
        if decoding.constrain:
            raise NotYet("writing under a mask is not built yet", hint="leave out --constrain")
        if retrieve:
            raise NotYet("retrieved examples are not built yet", hint="leave out --retrieve")
        read = detect(prompt)
        source = self._source(read)
        most = self.saved.model.config.max_target_tokens
        [written] = write(self.engine, [source], decoding, max_tokens=most)
        return {
            "text": unslot(self.saved.vocabulary.text(written.ids), read.slots),
            "engine": self.engine.name,
            "prompt_tokens": len(source),
            "new_tokens": len(written.ids),
            "ended": written.is_ended,
            "log_prob": written.log_prob,
        }

    def _source(self, prompt: Prompt) -> list[int]:
        source = self.saved.vocabulary.source(prompt.text)
        most = self.saved.model.config.max_source_tokens
        if not source or len(source) > most:
            raise InvalidSpec(f"the prompt has {len(source)} tokens; the model reads from 1 to {most}")
        return source
