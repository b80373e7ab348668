"""The process that fits: `python -m tutelage.services.tabular.fitting.fit_child`, killable at any moment by its worker.

Reads requests from standard input and answers on standard output; ends with its worker.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import queue
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from typing import IO, Any

import joblib
import lightgbm  # noqa: F401
import numpy as np
import sklearn.ensemble
import sklearn.linear_model  # noqa: F401

from tutelage.core.errors import TutelageError
from tutelage.core.service import load
from tutelage.services.tabular.catalog import CLASSIFICATION, CLUSTERING
from tutelage.services.tabular.errors import TooFewClusters
from tutelage.services.tabular.fitting import messages, validation
from tutelage.services.tabular.fitting.calibrating import learn_calibrator
from tutelage.services.tabular.fitting.clusters import (
    cluster_scores,
    describe,
    shuffled_clusters,
    spread_between,
    trivial_clusters,
)
from tutelage.services.tabular.fitting.encoded import EncodedRows
from tutelage.services.tabular.fitting.resampling import category_blocks, resample
from tutelage.services.tabular.fitting.scores import score, trivial_predictions
from tutelage.services.tabular.models.algorithms import REGISTRY
from tutelage.services.tabular.models.calibration import reliability
from tutelage.services.tabular.models.factories import FACTORIES
from tutelage.services.tabular.models.importance import SHUFFLES, importance
from tutelage.services.tabular.models.learners import Matrices, learn
from tutelage.services.tabular.models.pipeline import encoded_sources, encoder, predict, whole_pipeline
from tutelage.services.tabular.models.rounds import Deadline
from tutelage.services.tabular.models.wrappers import AtThreshold, Calibrated

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


class Requests:
    """Reads requests in a thread of its own, so that a wish to end reaches the fit that runs."""

    def __init__(self, channel: IO[bytes]) -> None:
        self._channel = channel
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._end = threading.Event()
        threading.Thread(target=self._read, daemon=True, name="fit-requests").start()

    def next(self) -> Any:
        """Wait for the next request; None when there will be no more."""
        return self._queue.get()

    def must_end(self) -> bool:
        """Tell whether the newest request was asked to end."""
        return self._end.is_set()

    def _read(self) -> None:
        try:
            while (request := messages.receive(self._channel)) is not None:
                if isinstance(request, messages.End):
                    self._end.set()
                    continue
                self._end.clear()  # a wish that came after its fit had ended does not count for the next one
                self._queue.put(request)
        finally:
            self._queue.put(None)  # after an error as well: a process that waits for ever would hide it


class FitServer:
    """Holds the loaded rows and answers requests; `must_end` tells of a wish that the fit that runs may end."""

    def __init__(self, channel: IO[bytes], must_end: Callable[[], bool]) -> None:
        self._channel, self._must_end = channel, must_end
        self._data: messages.Load | None = None
        self._classes: Any = None
        self._encoded = EncodedRows()
        self._answers: dict[type, Callable[[Any], Any]] = {
            messages.HoldOut: validation.hold_out,
            messages.Load: self._load,
            messages.Divide: self._divide,
            messages.Fit: self._fit,
            messages.Apply: self._apply,
            messages.Calibrate: self._calibrate,
        }

    def answer(self, request: Any) -> Any:
        """Return the answer to a request; an error of ours travels as it is, any other as Lost."""
        try:
            return self._answers[type(request)](request)
        except TooFewClusters as error:
            return messages.Lost(reason=error.code, detail=str(error))  # its trial is lost, the search goes on
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
        self._data, self._encoded = request, EncodedRows()
        self._classes = np.unique(request.target) if request.task == CLASSIFICATION else None
        return True

    def _divide(self, request: messages.Divide) -> messages.Divided:
        data = self._loaded
        has_classes = self._classes is not None
        folds = validation.divide(request, data.target, has_classes=has_classes)
        trivial = []
        for train, held in folds:
            trivial.append(self._trivial(train, held))
        final = validation.final_split(request, data.target, has_classes=has_classes)
        return messages.Divided(folds=folds, final=final, trivial=trivial)

    def _apply(self, request: messages.Apply) -> messages.Applied:
        return messages.Applied(value=load(request.function)(self._loaded, **request.arguments))

    def _trivial(self, train: messages.Rows, held: messages.Rows) -> dict[str, float]:
        """Score the trivial model on a fold: class shares, the mean, or rows assigned to clusters at random."""
        data = self._loaded
        if data.task != CLUSTERING:
            said = trivial_predictions(data.task, data.target[train], len(held))
            return score(data.task, data.target[held], said, self._classes)
        encode = encoder(data.reader, "one_hot").fit(data.frame.iloc[train])
        rows = encode.transform(data.frame.iloc[held])
        return cluster_scores(rows, trivial_clusters(len(held), seed=0), data.target[held])

    def _calibrate(self, request: messages.Calibrate) -> Any:
        return learn_calibrator(request.method, request.truth, request.probabilities, self._classes)

    def _fit(self, request: messages.Fit) -> messages.Fitted:
        started_s = time.monotonic()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fitted = self._fit_watched(request, started_s)
        texts = dict.fromkeys(" ".join(str(item.message).split())[:200] for item in caught)
        return messages.Fitted(**{**vars(fitted), "warnings": tuple(texts)[:MAX_WARNINGS]})

    def _fit_watched(self, request: messages.Fit, started_s: float) -> messages.Fitted:
        data, entry = self._loaded, REGISTRY[request.algorithm]
        encode, train, held = self._encoded.rows(data, entry.encoding, request)
        target = data.target[request.train]
        learned, learned_target = train, target
        if data.resample is not None:
            blocks = category_blocks(encode, data.reader)
            learned, learned_target = resample(train, target, data.resample, blocks=blocks, seed=request.seed)
        held_target = None if request.validation is None else data.target[request.validation]
        matrices = Matrices(
            task=data.task,
            train=learned,
            target=learned_target,
            validation=held,
            validation_target=held_target,
            weights=row_weights(target, learned_target, self._classes, data.class_weight),
            validation_weights=row_weights(target, held_target, self._classes, data.class_weight),
            classes=self._classes,
            categories=[len(data.reader.numeric) + index for index in range(len(data.reader.categorical))],
        )
        model = FACTORIES[request.algorithm](data.task, self._params(request), request.seed, data.threads)
        expected = entry.planned_rounds(request.params, request.rounds)
        curve = Curve(self._channel, expected=expected, max_points=request.max_points)
        end_s = math.inf if request.time_s is None else started_s + LEARNING_SHARE * request.time_s
        deadline = Deadline(end_s, is_asked=self._must_end)
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
        asked_s = time.monotonic()
        said = None if held is None else predict(model, held, self._classes)
        predict_s = time.monotonic() - asked_s
        scores = {} if held is None else self._score(held, held_target, said)
        done = messages.Fitted(
            scores=scores,
            predictions=said,
            fit_s=time.monotonic() - started_s,
            num_rounds=counts.trained,
            best_rounds=counts.best,
            predict_ms=0.0 if held is None else 1000 * predict_s / len(held),
            is_cut=deadline.has_come and (counts.trained or 0) < expected,
            is_ended=deadline.was_asked and not deadline.has_come and (counts.trained or 0) < expected,
        )
        return self._kept(request, done, encode, model, train) if request.keep else done

    def _score(self, rows: Any, truth: Any, said: Any) -> dict[str, float]:
        """Score predictions for encoded rows."""
        task = self._loaded.task
        if task != CLUSTERING:
            return score(task, truth, said, self._classes)
        return cluster_scores(rows, said, truth)

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
        kept = model if request.calibrator is None else Calibrated(model, request.calibrator)
        kept = kept if request.threshold is None else AtThreshold(kept, request.threshold)
        joblib.dump(whole_pipeline(data.reader, encode, kept), request.keep, compress=3)
        loaded = joblib.load(request.keep)
        test = loaded["encode"].transform(data.test_frame)
        predicting_s = time.monotonic()
        said = predict(loaded["model"], test, self._classes)
        predicting_s = time.monotonic() - predicting_s
        sources = encoded_sources(encode, data.reader)
        if data.task == CLUSTERING:
            return self._kept_clusters(done, loaded["model"], train, used, test, said, sources)
        few = slice(_explained_rows(request.explain_s, predicting_s, len(test), len(set(sources))))
        shares = importance(model, train, test[few], data.test_target[few], sources=sources, classes=self._classes)
        return messages.Fitted(
            **{
                **vars(done),
                "test_scores": score(data.task, data.test_target, said, self._classes, threshold=request.threshold),
                "test_predictions": said,
                "importance": shares,
                "keep_s": time.monotonic() - started_s,
                "calibration": self._calibration(request, model, test, said),
            }
        )

    def _calibration(self, request: messages.Fit, model: Any, test: Any, said: Any) -> dict[str, Any] | None:
        """Measure the correction on the test rows: the model's own probabilities, and the corrected ones."""
        if request.calibrator is None:
            return None
        truth, classes = self._loaded.test_target, self._classes
        before, after = predict(model, test, classes), said
        parts = {"before": reliability(truth, before, classes), "after": reliability(truth, after, classes)}
        return {**request.calibrator.record, "test": parts}

    def _kept_clusters(
        self, done: messages.Fitted, model: Any, train: Any, typed: Any, test: Any, said: Any, sources: list[str]
    ) -> messages.Fitted:
        """Score the kept clusters on the test rows, beside clusters of the same sizes assigned at random."""
        data = self._loaded
        trivial = cluster_scores(test, shuffled_clusters(said, seed=0), data.test_target)
        clusters = describe(model, train, typed, data.reader.categorical, trivial)
        return messages.Fitted(
            **{
                **vars(done),
                "test_scores": cluster_scores(test, said, data.test_target),
                "test_predictions": said,
                "importance": spread_between(model.predict(train), train, sources),
                "clusters": clusters,
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
    requests = Requests(sys.stdin.buffer)
    server = FitServer(channel, requests.must_end)
    while (request := requests.next()) is not None:
        messages.send(channel, server.answer(request))
    return 0


if __name__ == "__main__":
    sys.exit(main())
