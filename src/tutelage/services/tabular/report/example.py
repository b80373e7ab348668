"""`inference_example.py` and `inference_request.json`: a script that predicts with the kept model, and its rows."""

from __future__ import annotations

import json
from typing import Any

from tutelage.services.tabular.plan import Plan

EXAMPLE, REQUEST = "inference_example.py", "inference_request.json"
NUM_ROWS = 3

SCRIPT = '''"""Predict with the model beside this file: python inference_example.py [request.json]

The request is {"rows": [{column: value, ...}, ...]}; without one, the rows of inference_request.json are predicted.
The model is loaded only if this installation signed it, as loading a foreign pickle could execute foreign code.
"""

import json
import sys
from pathlib import Path

import joblib
import pandas

from tutelage.core.signing import check_signature, installation_key
from tutelage.settings import find_home, load_settings

HERE = Path(__file__).resolve().parent
MODEL = HERE / "model.joblib"
HOME = HERE.parents[2] if HERE.parents[1].name == "operations" else find_home()

request = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "inference_request.json"
rows = pandas.DataFrame.from_records(json.loads(request.read_text())["rows"])

check_signature(MODEL, installation_key(load_settings(HOME).files.key))
pipeline = joblib.load(MODEL)

answer = {"predictions": pipeline.predict(rows).tolist()}
if hasattr(pipeline["model"], "classes_"):
    answer["classes"] = pipeline["model"].classes_.tolist()
    answer["probabilities"] = pipeline.predict_proba(rows).tolist()
print(json.dumps(answer, indent=1))
'''


def request_of(plan: Plan) -> dict[str, Any]:
    """Return the first test rows as `use` takes them: raw cells of the columns that the model reads."""
    text = plan.sample.head(NUM_ROWS).to_json(orient="records", date_format="iso", double_precision=15)
    return {"rows": json.loads(text)}
