"""What a model is measured on while it trains: loss, exact match and - with Tint here - how many programs compile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tutelage.services.codegen.batches import Batch
from tutelage.services.codegen.compiling import Compiles
from tutelage.services.codegen.config import DecodingConfig
from tutelage.services.codegen.data.pairs import Pair, fill
from tutelage.services.codegen.decoding.write import write
from tutelage.services.codegen.engines.torch_engine import TorchEngine
from tutelage.services.codegen.model.transformer import Transformer
from tutelage.services.codegen.task import batch_loss
from tutelage.services.codegen.vocabulary import Vocabulary

LOSS_BATCH = 32
NUM_SHOWN = 2
GREEDY = DecodingConfig(constrain=False)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A held-out pair as ids."""

    pair: Pair
    source: Sequence[int]
    target: Sequence[int]


def questions(
    pairs: Sequence[Pair], vocabulary: Vocabulary, source: Callable[[Pair], Sequence[int]] | None = None
) -> list[Question]:
    """Return pairs as the model reads and should write them; `source` says what it reads, the sentence by default."""
    read = source or (lambda pair: vocabulary.source(pair.slotted_sentence))
    return [Question(pair=pair, source=read(pair), target=vocabulary.target(pair.slotted_code)) for pair in pairs]


class HeldOut:
    """Programs held out by composition, and programs of known compositions that are not trained on (`iid`)."""

    def __init__(
        self,
        model: Transformer,
        vocabulary: Vocabulary,
        *,
        composition: Sequence[Pair],
        iid: Sequence[Pair],
        label_smoothing: float,
        compiles: Compiles | None,
        source: Callable[[Pair], Sequence[int]] | None = None,
    ) -> None:
        self._model, self._vocabulary, self._label_smoothing = model, vocabulary, label_smoothing
        self._composition, self._iid = (questions(pairs, vocabulary, source) for pairs in (composition, iid))
        self._compiles = compiles

    @torch.no_grad()
    def figures(self) -> Mapping[str, float]:
        """Return `val_loss` as it is trained, `val_ce`, and how many programs are right, greedy and unconstrained."""
        written = self.write(self._composition)
        figures = {
            **self._losses(),
            "val_exact_match": _exact(self._composition, written),
            "val_iid_exact_match": _exact(self._iid, self.write(self._iid)),
        }
        if self._compiles is not None:
            texts = [self._filled(question, ids) for question, ids in zip(self._composition, written, strict=True)]
            figures["val_compile_at_1"] = sum(map(self._compiles, texts)) / len(texts)
        return figures

    @torch.no_grad()
    def sample(self) -> Mapping[str, Any]:
        """Return some programs that the model writes for held-out sentences."""
        asked = self._composition[:NUM_SHOWN]
        written = self.write(asked)
        shown = [
            {"prompt": question.pair.sentence, "text": self._filled(question, ids), "wanted": question.pair.code}
            for question, ids in zip(asked, written, strict=True)
        ]
        return {"prompt": shown[0]["prompt"], "text": shown[0]["text"], "programs": shown}

    def write(self, asked: Sequence[Question]) -> list[tuple[int, ...]]:
        """Return what the model writes, greedy."""
        most = self._model.config.max_target_tokens
        found = write(TorchEngine(self._model), [question.source for question in asked], GREEDY, max_tokens=most)
        return [written.ids for written in found]

    def _losses(self) -> dict[str, float]:
        total, entropy, num_items = 0.0, 0.0, 0
        ordered = sorted(self._composition, key=lambda question: len(question.source) + len(question.target))
        for first in range(0, len(ordered), LOSS_BATCH):
            batch = Batch.of([(item.source, item.target) for item in ordered[first : first + LOSS_BATCH]])
            loss = batch_loss(self._model, batch, label_smoothing=self._label_smoothing)
            total, entropy = total + float(loss.total), entropy + float(loss.sums["ce"])
            num_items += loss.num_items
        return {"val_loss": total / num_items, "val_ce": entropy / num_items}

    def _filled(self, question: Question, ids: Sequence[int]) -> str:
        return fill(self._vocabulary.text(ids), question.pair.slots)


def _exact(asked: Sequence[Question], written: Sequence[Sequence[int]]) -> float:
    right = sum(tuple(question.target) == tuple(ids) for question, ids in zip(asked, written, strict=True))
    return right / len(asked)
