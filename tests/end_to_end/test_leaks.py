"""A real table that holds its own answer: `casual` + `registered` = `cnt`, told before anything is trained."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from tutelage.core.events import EventKind
from tutelage.testing.workbench import Workbench

pytestmark = pytest.mark.needs_shared_data


@pytest.mark.slow  # one training
def test_leak_suspects_are_named_before_the_first_fit(tmp_path: Path) -> None:
    table = Path(os.environ["TUTELAGE_TEST_DATA"]) / "tabular" / "bike_sharing.csv"
    pd.read_csv(table).head(1500).to_csv(tmp_path / "bikes.csv", index=False)
    config = {"algorithm": "ridge", "trainDataPath": str(tmp_path / "bikes.csv"), "targetColumn": "cnt"}
    config |= {"hyperparameterSearch": {"nTrials": 1}, "validationStrategy": {"folds": 2}}
    bench = Workbench(tmp_path / "home", {"service": "tabular", "config": config}, services={})
    bench.start()
    assert bench.ended() == 0, bench.log_tail()
    events = bench.events()
    texts = [event.data.get("text", "") if event.kind is EventKind.LOG else "" for event in events]
    warned = next(place for place, text in enumerate(texts) if text.startswith("leak suspect: casual + registered"))
    fitted = next(place for place, event in enumerate(events) if event.scope.startswith("trial"))
    assert warned < fitted
    assert events[warned].data["level"] == "warning"
    suspects = bench.result()["metadata"]["dataQuality"]["leakSuspects"]
    assert {"casual", "registered"} == {name for item in suspects if item["kind"] == "sum" for name in item["columns"]}
