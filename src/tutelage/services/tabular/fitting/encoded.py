"""Encoded rows of a fold, kept for the next trial where the encoding is dear: text takes longer than many a fit."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from tutelage.services.tabular.fitting.messages import Fit, Load
from tutelage.services.tabular.models.algorithms import Encoding
from tutelage.services.tabular.models.pipeline import encoder

MAX_KEPT = 5
"""Folds whose encoded rows are kept: those of the default cross-validation."""

Encoded = tuple[Any, Any, Any]


class EncodedRows:
    """Encodes the rows of a fit; with text among them, the latest results are kept. Learners change no matrix."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], Encoded] = OrderedDict()

    def rows(self, data: Load, encoding: Encoding, request: Fit) -> Encoded:
        """Return the encoder fitted on the training rows, those rows, and the validation's or None."""
        if not data.reader.texts:
            return _encode(data, encoding, request)
        held = None if request.validation is None else request.validation.tobytes()
        key = (encoding, request.train.tobytes(), held)
        if key not in self._kept:
            self._kept[key] = _encode(data, encoding, request)
            if len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]


def _encode(data: Load, encoding: Encoding, request: Fit) -> Encoded:
    encode = encoder(data.reader, encoding)
    train = encode.fit_transform(data.frame.iloc[request.train])
    held = None if request.validation is None else encode.transform(data.frame.iloc[request.validation])
    return encode, train, held
