"""Runs that overfit, stopped by a policy when nobody watches: real learners, real data, a real supervisor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_breast_cancer
from tests.support import supervisor_at

from tutelage.analysis.series import best, oriented
from tutelage.client import Client
from tutelage.core import wire
from tutelage.core.operation import State
from tutelage.services.tabular.data.mislabel import mislabelled

pytestmark = pytest.mark.slow  # four trainings of some seconds each

BOOSTING = {
    "algorithm": "gradient_boosting",
    "n_estimators": 600,
    "max_depth": 8,
    "learning_rate": 0.01,
    "min_samples_leaf": 2,
    "max_features": 0.2,
    "subsample": 0.3,
}
NETWORK = {
    "algorithm": "neural_network",
    "max_iter": 200,
    "num_layers": 3,
    "hidden_units": 128,
    "learning_rate_init": 0.0003,
    "batch_size": 32,
    "alpha": 0.00001,
}
LEARNERS = {"a boosting run": BOOSTING, "a neural run": NETWORK}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with supervisor_at(tmp_path_factory.mktemp("overfitting") / "home") as (_, client):
        yield client


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real measurements with a quarter of the labels changed: what is learned of them is learned by heart."""
    path = tmp_path_factory.mktemp("table") / "wrong.csv"
    mislabelled(load_breast_cancer(as_frame=True).frame, 0.25, seed=7).to_csv(path, index=False)
    return path


def asked(table: Path, params: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a spec with one set of parameters; nothing but a policy ends its fits."""
    algorithm, *fixed = params.items()
    config: dict[str, Any] = {
        "modelType": "classification",
        "trainDataPath": str(table),
        "targetColumn": "target",
        "validationStrategy": {"folds": 2},
        "hyperparameterSearch": {"nTrials": 1, "space": {name: {"choices": [value]} for name, value in fixed}},
        "options": {"earlyStoppingRounds": 1000},
    }
    config |= dict([algorithm])
    return {"service": "tabular", "config": config, "resources": {"cpus": 1}, **more}


def curve(client: Client, operation: wire.Operation) -> list[tuple[int, float]]:
    history = client.metrics(operation.id, scope="final", keys=("val_logloss",), points=20_000)
    return [(step, float(value)) for step, value in zip(history.steps, history.values["val_logloss"], strict=True)]


@pytest.mark.parametrize("name", LEARNERS)
def test_an_overfitting_run_is_stopped_by_its_policy_and_keeps_a_best_step(
    client: Client, table: Path, name: str
) -> None:
    params = LEARNERS[name]
    rule = {"policy": {"on": {"overfitting": "stop"}}}
    begun = [client.submit(asked(table, params, **more)) for more in (rule, {})]
    stopped, whole = (client.wait(item.id, timeout_s=240).operation for item in begun)
    assert (stopped.state, stopped.stopped_early) == (State.COMPLETED, True), stopped.error
    assert (whole.state, whole.stopped_early) == (State.COMPLETED, False), whole.error

    (decision,) = client.decisions(stopped.id)
    assert (decision.principal.name, decision.verb, decision.status) == ("policy", "stop", "applied")
    assert decision.verdict == "overfitting"
    assert any(item.label == "val_logloss worse than its best" for item in decision.evidence)
    assert client.decisions(whole.id) == []

    seen, would_have_been = curve(client, stopped), curve(client, whole)
    assert seen == would_have_been[: len(seen)], "a stop changes nothing of what was trained before it"
    assert len(seen) < len(would_have_been)
    metadata = stopped.result["metadata"]
    assert metadata["stoppedEarly"]
    assert metadata["finalEndedAfter"] == len(seen) == decision.at_step + 1
    top = best(oriented(would_have_been, maximize=False))
    assert 0 < top.first_step <= metadata["rounds"] - 1 <= top.last_step
