"""Every service keeps the contract."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tutelage.testing.contracts import ServiceContract


class TestFake(ServiceContract):
    service = "tutelage.testing.fake:SERVICE"
    config = {"steps": 120, "step_s": 0.005}
    request = {"features": [1.0, 0.0, 0.0, 0.0, 0.0]}


SCRIPT = Path(__file__).parents[1] / "services" / "script" / "descent.py"


class TestScript(ServiceContract):
    service = "tutelage.services.script:SERVICE"
    config = {
        "command": [sys.executable, str(SCRIPT)],
        "working_dir": str(SCRIPT.parent),
        "settings": {"steps": 120, "step_s": 0.005},
    }


@pytest.mark.slow  # trains fifteen small tables in processes of their own
class TestTabular(ServiceContract):
    service = "tutelage.services.tabular:SERVICE"
    config = {
        "trainDataPath": "sklearn:wine",
        "modelType": "classification",
        "algorithm": "lightgbm",
        "validationStrategy": {"type": "stratified_kfold", "folds": 3},
        "hyperparameterSearch": {"enabled": True, "nTrials": 4, "sampler": "tpe"},
        "experimentTracking": {"enabled": False},
    }
    request = {"dataPath": "sklearn:wine"}
    volatile = frozenset({"fit_s", "row_ms_p50", "row_ms_p95", "rows_per_s"})
