"""The process that fits: `python -m tutelage.services.tabular.fitting.fit_child`, killable at any moment by its worker.

Reads requests from standard input and answers on standard output; ends with its worker.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import IO, Any

_STARTED_S = time.monotonic()

import joblib  # noqa: E402  the clock above times these imports
import lightgbm  # noqa: E402, F401
import numpy as np  # noqa: E402
import sklearn.ensemble  # noqa: E402
import sklearn.linear_model  # noqa: E402, F401

from tutelage.core.errors import TutelageError  # noqa: E402
from tutelage.services.tabular.catalog import CLASSIFICATION  # noqa: E402
from tutelage.services.tabular.fitting import messages, validation  # noqa: E402
from tutelage.services.tabular.fitting.scores import score, trivial_predictions  # noqa: E402
from tutelage.services.tabular.models.algorithms import REGISTRY  # noqa: E402
from tutelage.services.tabular.models.factories import FACTORIES  # noqa: E402
from tutelage.services.tabular.models.importance import SHUFFLES, importance  # noqa: E402
from tutelage.services.tabular.models.learners import Matrices, learn  # noqa: E402
from tutelage.services.tabular.models.pipeline import encoded_sources, encoder, predict, whole_pipeline  # noqa: E402
from tutelage.services.tabular.models.rounds import Deadline  # noqa: E402
from tutelage.services.tabular.models.wrappers import AtThreshold  # noqa: E402

PR_SET_PDEATHSIG = 1
SEND_EVERY_S = 0.1
MAX_WARNINGS = 5
LEAST_EXPLAINED = 20
LEARNING_SHARE = 0.85
"""Of a fit's own deadline; the rest scores its validation rows."""


class Curve:
    """Sends a fit's rounds in batches, thinned to about `max_points`, the last one always."""

    def __init__(self, channel: IO[bytes], *, expected: int, max_points: int) -> None:
        self._channel = channel
        self._stride = max(1, -(-expected // max_points))
        self._points: list[tuple[int, dict[str, float]]] = []
        self._last: tuple[int, dict[str, float]] | None = None
        self._sent_s = time.monotonic()

    def add(self, step: int, values: dict[str, float]) -> None:
        """Take one round's values."""
        self._last = (step, values)
        if step % self._stride:
            return
        self._points.append(self._last)
        self._last = None
        if time.monotonic() - self._sent_s > SEND_EVERY_S:
            self.close()

    def close(self) -> None:
        """Send what is left."""
        points = [*self._points, *([self._last] if self._last else [])]
        if points:
            messages.send(self._channel, messages.Rounds(points=points))
        self._points, self._last, self._sent_s = [], None, time.monotonic()


class FitServer:
    """Holds the loaded rows and answers requests."""

    def __init__(self, channel: IO[bytes]) -> None:
        self._channel = channel
        self._data: messages.Load | None = None
        self._classes: Any = None
        self._answers: dict[type, Callable[[Any], Any]] = {
            messages.HoldOut: validation.hold_out,
            messages.Load: self._load,
            messages.Divide: self._divide,
            messages.Fit: self._fit,
        }

    def answer(self, request: Any) -> Any:
        """Return the answer to a request; an error of ours travels as it is, any other as Lost."""
        try:
            return self._answers[type(request)](request)
        except TutelageError as error:
            return error
        except MemoryError:
            return messages.Lost(reason="memory_limit", detail="the learner ran out of memory")
        except Exception as error:  # noqa: BLE001  the process's edge: a learner's error is its fit's outcome
            traceback.print_exc()
            return messages.Lost(reason="fit_failed", detail=f"{type(error).__name__}: {error}"[:1000])

    @property
    def _loaded(self) -> messages.Load:
        assert self._data is not None, "rows are loaded before they are used"
        return self._data

    def _load(self, request: messages.Load) -> bool:
        self._data = request
        self._classes = np.unique(request.target) if request.task == CLASSIFICATION else None
        return True

    def _divide(self, request: messages.Divide) -> messages.Divided:
        data = self._loaded
        has_classes = self._classes is not None
        folds = validation.divide(request, data.target, has_classes=has_classes)
        trivial = []
        for train, held in folds:
            said = trivial_predictions(data.task, data.target[train], len(held))
            trivial.append(score(data.task, data.target[held], said, self._classes))
        final = validation.final_split(request, data.target, has_classes=has_classes)
        return messages.Divided(folds=folds, final=final, trivial=trivial)

    def _fit(self, request: messages.Fit) -> messages.Fitted:
        started_s = time.monotonic()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitted = self._fit_watched(request, started_s)
        texts = dict.fromkeys(" ".join(str(item.message).split())[:200] for item in caught)
        return messages.Fitted(**{**vars(fitted), "warnings": tuple(texts)[:MAX_WARNINGS]})

    def _fit_watched(self, request: messages.Fit, started_s: float) -> messages.Fitted:
        data, entry = self._loaded, REGISTRY[request.algorithm]
        encode = encoder(data.reader, entry.encoding)
        train = encode.fit_transform(data.frame.iloc[request.train])
        held = None if request.validation is None else encode.transform(data.frame.iloc[request.validation])
        target = data.target[request.train]
        held_target = None if request.validation is None else data.target[request.validation]
        matrices = Matrices(
            task=data.task,
            train=train,
            target=target,
            validation=held,
            validation_target=held_target,
            weights=row_weights(target, target, self._classes, data.class_weight),
            validation_weights=row_weights(target, held_target, self._classes, data.class_weight),
            classes=self._classes,
            categories=[len(data.reader.numeric) + index for index in range(len(data.reader.categorical))],
        )
        model = FACTORIES[request.algorithm](data.task, self._params(request), request.seed, data.threads)
        expected = entry.planned_rounds(request.params, request.rounds)
        curve = Curve(self._channel, expected=expected, max_points=request.max_points)
        deadline = Deadline() if request.time_s is None else Deadline(started_s + LEARNING_SHARE * request.time_s)
        counts = learn(
            request.algorithm,
            model,
            matrices,
            early_stopping=request.early_stopping,
            report=curve.add,
            deadline=deadline,
        )
        curve.close()
        _predict_alone(model)
        said = None if held is None else predict(model, held, self._classes)
        scores = {} if held is None else score(data.task, matrices.validation_target, said, self._classes)
        done = messages.Fitted(
            scores=scores,
            predictions=said,
            fit_s=time.monotonic() - started_s,
            num_rounds=counts.trained,
            best_rounds=counts.best,
            is_cut=deadline.has_come and (counts.trained or 0) < expected,
        )
        return self._kept(request, done, encode, model, train) if request.keep else done

    def _params(self, request: messages.Fit) -> dict[str, Any]:
        counted = REGISTRY[request.algorithm].rounds
        if request.rounds is None or counted is None:
            return dict(request.params)
        return {**request.params, counted.param: request.rounds * counted.each}

    def _kept(self, request: messages.Fit, done: messages.Fitted, encode: Any, model: Any, train: Any) -> Any:
        """Write the whole pipeline, load it again from its bytes, and score what was loaded on the test rows."""
        data, started_s = self._loaded, time.monotonic()
        assert request.keep is not None
        used = data.frame.iloc[request.train]
        data.reader.categories = {name: frozenset(used[name].unique()) for name in data.reader.categorical}
        kept = model if request.threshold is None else AtThreshold(model, request.threshold)
        joblib.dump(whole_pipeline(data.reader, encode, kept), request.keep, compress=3)
        loaded = joblib.load(request.keep)
        test = loaded["encode"].transform(data.test_frame)
        predicting_s = time.monotonic()
        said = predict(loaded["model"], test, self._classes)
        predicting_s = time.monotonic() - predicting_s
        sources = encoded_sources(encode, data.reader)
        few = slice(_explained_rows(request.explain_s, predicting_s, len(test), len(set(sources))))
        shares = importance(model, train, test[few], data.test_target[few], sources=sources, classes=self._classes)
        return messages.Fitted(
            **{
                **vars(done),
                "test_scores": score(data.task, data.test_target, said, self._classes, threshold=request.threshold),
                "test_predictions": said,
                "importance": shares,
                "keep_s": time.monotonic() - started_s,
            }
        )


def row_weights(train: Any, rows: Any, classes: Any, asked: Any) -> Any:
    """Return each row's weight by its class; balanced weights come from the training rows alone."""
    if asked is None or rows is None:
        return None
    if asked == "balanced":
        counts = np.maximum([(train == name).sum() for name in classes], 1)
        asked = len(train) / (len(classes) * counts)
    return np.asarray(asked, dtype="float64")[np.searchsorted(classes, rows)]


def _explained_rows(explain_s: float | None, predicting_s: float, num_rows: int, num_sources: int) -> int:
    """Return on how many test rows columns may be shuffled in `explain_s`, from the time that predicting them took."""
    if explain_s is None:
        return num_rows
    row_s = max(predicting_s / max(num_rows, 1), 1e-9)
    within = explain_s / (row_s * (SHUFFLES * num_sources + 1))
    return min(num_rows, max(LEAST_EXPLAINED, int(within)))


def _predict_alone(model: Any) -> None:
    """Let one thread predict: several add a forest's votes in the order they end, which changes last digits."""
    if hasattr(model, "n_jobs"):
        model.set_params(n_jobs=1)


def end_with_parent(parent: int) -> None:
    """Ask the kernel (Linux) to kill this process when its worker dies; elsewhere the pipe's end does it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def main() -> int:
    """Serve until the input ends."""
    end_with_parent(int(sys.argv[1]))
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not mix with the answers
    messages.send(channel, messages.Ready(import_s=time.monotonic() - _STARTED_S))
    server = FitServer(channel)
    while (request := messages.receive(sys.stdin.buffer)) is not None:
        messages.send(channel, server.answer(request))
    return 0


if __name__ == "__main__":
    sys.exit(main())
