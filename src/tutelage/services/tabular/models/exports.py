"""The kept model in other formats, kept only where they predict the same: skops (no pickle) and ONNX. In the child."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.services.tabular.models.pipeline import encoded_sources, predict
from tutelage.services.tabular.models.wrappers import AtThreshold, ScaledTarget, SmoothedVotes, inner

OURS = "tutelage.services.tabular"
TRUSTED = frozenset(
    {
        *("builtins.frozenset", "collections.OrderedDict", "functools.partial", "numpy.dtype"),
        *("lightgbm.basic.Booster", "lightgbm.sklearn.LGBMClassifier", "lightgbm.sklearn.LGBMRegressor"),
        *("xgboost.core.Booster", "xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRegressor"),
        *("sklearn.calibration._CalibratedClassifier", "sklearn.calibration._SigmoidCalibration"),
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        *("sklearn.metrics._dist_metrics.EuclideanDistance64", "sklearn.neighbors._kd_tree.KDTree"),
        *("sklearn.model_selection._split.StratifiedKFold", "sklearn.tree._tree.Tree"),
        *("sklearn.neural_network._stochastic_optimizers.AdamOptimizer", "sklearn.utils.validation.check_array"),
        *(f"{OURS}.data.types.Column", f"{OURS}.data.types.ColumnReader"),
        *(f"{OURS}.models.pipeline.RawColumns", f"{OURS}.models.pipeline._column_alone"),
        *(f"{OURS}.models.wrappers.{name}" for name in ("AtThreshold", "Calibrated", "CodedClassifier")),
        *(f"{OURS}.models.wrappers.{name}" for name in ("ScaledTarget", "SmoothedVotes")),
        f"{OURS}.models.texts.TextColumns",
        *(f"{OURS}.models.calibration.{name}" for name in ("Calibrator", "Curve")),
        *(f"{OURS}.models.clusterers.{name}" for name in ("DbscanClusters", "KMeansClusters")),
        *("skrub._string_encoder.StringEncoder", "skrub._to_str.ToStr"),
    }
)
"""Types beyond skops's own list that a model of ours may hold, each looked at: data, or a learner's own state."""

ONNX_INPUT = "encoded"
ONNX_TOLERANCE = 1e-4
"""Largest difference of a probability, or of a number in deviations of the predictions: ONNX computes in float32."""

PARITY_ROWS = 2000


@dataclass(frozen=True, kw_only=True)
class Export:
    """What is to be exported: the pipeline, and typed rows on which both forms must predict the same."""

    pipeline: Any
    typed: Any
    task: str
    classes: Any
    to: Path


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written, as `exports.json` tells it; or, with `reason`, why nothing was."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


def export(asked: Export, *, format: str) -> Exported:
    """Write the model in one format; a file that does not predict the same is taken away again."""
    done = WRITERS[format](asked)
    if done.reason:
        asked.to.unlink(missing_ok=True)
    return done


def _skops(asked: Export) -> Exported:
    from skops import io  # late: only this format needs it

    io.dump(asked.pipeline, asked.to, compression=zipfile.ZIP_DEFLATED)
    found = set(io.get_untrusted_types(file=asked.to))
    foreign = sorted(found - TRUSTED)
    if foreign:
        return Exported(reason=f"it holds types that were not reviewed: {', '.join(foreign)}")
    again = io.load(asked.to, trusted=sorted(found))
    encoded = again["encode"].transform(asked.typed.head(PARITY_ROWS))
    before = _said(asked, asked.pipeline["encode"].transform(asked.typed.head(PARITY_ROWS)))
    largest = float(np.abs(predict(again["model"], encoded, asked.classes) - before).max())
    if largest > 0:
        return Exported(reason=f"loaded again it predicts otherwise, by up to {largest:.3g}")
    return Exported(facts={"trusted": sorted(found), "largest_difference": largest, "rows_compared": len(before)})


def _onnx(asked: Export) -> Exported:
    import onnxruntime  # late: only this format needs it

    encoded = np.asarray(asked.pipeline["encode"].transform(asked.typed.head(PARITY_ROWS)), dtype="float64")
    model = asked.pipeline["model"]
    model = model.model if isinstance(model, AtThreshold) else model
    scale, offset = _line(model)
    own = inner(model)
    converter = _converter(own)
    if converter is None:
        return Exported(reason=f"there is no converter for {type(own).__name__}")
    document = converter(own, encoded.shape[1])
    asked.to.write_bytes(document.SerializeToString())
    session = onnxruntime.InferenceSession(asked.to, providers=["CPUExecutionProvider"])
    output = session.get_outputs()[-1].name
    raw = np.asarray(session.run([output], {ONNX_INPUT: encoded.astype("float32")})[0], dtype="float64")
    before = _said(asked, encoded)
    said = raw.reshape(before.shape) * scale + offset
    unit = 1.0 if asked.classes is not None else float(before.std()) or 1.0
    largest = float(np.abs(said - before).max()) / unit
    if not largest <= ONNX_TOLERANCE:
        return Exported(reason=f"in single precision it predicts otherwise, by up to {largest:.3g}")
    return Exported(
        facts={
            "input": {"name": ONNX_INPUT, "type": "float32", "shape": ["rows", encoded.shape[1]]},
            "columns": encoded_sources(asked.pipeline["encode"], asked.pipeline["columns"].reader),
            "made_by": "pipeline['encode'].transform(pipeline['columns'].transform(rows)) of model.joblib",
            "output": output,
            "classes": None if asked.classes is None else asked.classes.tolist(),
            "threshold": getattr(asked.pipeline["model"], "threshold", None),
            "scale": scale,
            "offset": np.asarray(offset).tolist(),
            "opset": {item.domain or "ai.onnx": item.version for item in document.opset_import},
            "largest_difference": largest,
            "rows_compared": len(before),
        }
    )


def _line(model: Any) -> tuple[float, Any]:
    """Return by what to multiply what the library's own estimator answers, and what to add; a number for each class."""
    if isinstance(model, ScaledTarget):
        return model.spread_, model.mean_
    if isinstance(model, SmoothedVotes):
        return model.share_, model.prior_ * (1.0 - model.share_)
    return 1.0, 0.0


def _said(asked: Export, encoded: Any) -> Any:
    return predict(asked.pipeline["model"], encoded, asked.classes)


def _converter(own: Any) -> Callable[[Any, int], Any] | None:
    """Return what turns this estimator into an ONNX graph on the encoded matrix."""
    library = type(own).__module__.partition(".")[0]
    return {"lightgbm": _from_lightgbm, "xgboost": _from_xgboost, "sklearn": _from_sklearn}.get(library)


def _from_lightgbm(own: Any, width: int) -> Any:
    from onnxmltools.convert import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    return convert_lightgbm(own, initial_types=[(ONNX_INPUT, FloatTensorType([None, width]))], zipmap=False)


def _from_xgboost(own: Any, width: int) -> Any:
    from onnxmltools.convert import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    return convert_xgboost(own, initial_types=[(ONNX_INPUT, FloatTensorType([None, width]))])


def _from_sklearn(own: Any, width: int) -> Any:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.base import is_classifier

    options = {"options": {id(own): {"zipmap": False}}} if is_classifier(own) else {}
    return convert_sklearn(own, initial_types=[(ONNX_INPUT, FloatTensorType([None, width]))], **options)


WRITERS: Mapping[str, Callable[[Export], Exported]] = {"skops": _skops, "onnx": _onnx}
