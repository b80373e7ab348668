"""The CPU engine of the product: CTranslate2, in fp32 or int8. It searches by itself: whole sequences, no mask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tutelage.core.errors import InvalidSpec, NotSupported
from tutelage.services.codegen.config.decoding import DecodingConfig
from tutelage.services.codegen.engines.base import PAD_ID, SOS_ID, UNK_ID
from tutelage.services.codegen.engines.ctranslate2_export import SPECIAL, library, token

IDS = {text: index for index, text in SPECIAL.items()}
NEVER_WRITTEN = [[SPECIAL[index]] for index in (PAD_ID, UNK_ID, SOS_ID)]
"""As in our own searches."""


class CTranslate2Engine:
    """Opens a folder that `export_ctranslate2` wrote; the folder says whether it is fp32 or int8."""

    name = "ct2"

    def __init__(self, folder: Path, *, num_threads: int = 1) -> None:
        if not (folder / "model.bin").is_file():
            raise InvalidSpec(f"{folder} holds no model of CTranslate2", hint="write it with export_ctranslate2")
        self._translator = library().Translator(str(folder), device="cpu", inter_threads=1, intra_threads=num_threads)

    @property
    def compute_type(self) -> str:
        """What it multiplies in: `float32`, `int8_float32`."""
        return str(self._translator.compute_type)

    def write(
        self,
        sources: Sequence[Sequence[int]],
        config: DecodingConfig,
        *,
        max_tokens: int,
        min_tokens: int = 1,
    ) -> list[list[int]]:
        """Return the ids written for each source, without <sos> and <eos>.

        Greedy, or a beam by its own rules: which of two near hypotheses wins may differ from our beam. Raises
        NotSupported for `constrain`, which needs an engine that steps, and for draws, which it could not repeat.
        """
        if config.constrain:
            raise NotSupported(
                "CTranslate2 searches by itself and takes no mask: constrain cannot hold",
                hint="take the engine torch, onnx or wgpu, or give constrain = false",
            )
        if config.draws:
            raise NotSupported(
                "CTranslate2 seeds its draws once a process: the seed cannot hold",
                hint="take the engine torch, onnx or wgpu, or give temperature = 0",
            )
        if not sources:
            return []
        bound = min(max_tokens, config.max_new_tokens)
        answers = self._translator.translate_batch(
            [[token(index) for index in source] for source in sources],
            beam_size=config.beam,
            length_penalty=config.length_penalty,
            max_decoding_length=bound,
            min_decoding_length=min(min_tokens, bound),
            max_input_length=0,
            suppress_sequences=NEVER_WRITTEN,
        )
        return [[_id_of(text) for text in answer.hypotheses[0]] for answer in answers]


def _id_of(text: str) -> int:
    return IDS[text] if text in IDS else int(text[1:])
