"""What a tracker holds, as JSON: `python look.py URI [MODEL ALIAS TABLE]`. In a process of its own: MLflow is heavy."""

from __future__ import annotations

import json
import sys

import mlflow
import pandas as pd
from mlflow import MlflowClient


def runs(client: MlflowClient) -> list[dict]:
    ids = [item.experiment_id for item in client.search_experiments()]
    return [
        {
            "id": run.info.run_id,
            "experiment": client.get_experiment(run.info.experiment_id).name,
            "status": run.info.status,
            "params": run.data.params,
            "tags": run.data.tags,
            "metrics": {
                name: [(item.step, item.value) for item in client.get_metric_history(run.info.run_id, name)]
                for name in run.data.metrics
            },
            "artifacts": [item.path for item in client.list_artifacts(run.info.run_id)],
            "versions": [
                (item.name, str(item.version)) for item in client.search_model_versions(f"run_id = '{run.info.run_id}'")
            ],
            "models": len(client.search_logged_models(ids, filter_string=f"source_run_id = '{run.info.run_id}'")),
        }
        for run in client.search_runs(ids)
    ]


def predicted(client: MlflowClient, name: str, alias: str, table: str) -> dict:
    frame = pd.read_csv(table)
    uri = f"models:/{name}@{alias}"
    plain, own = mlflow.pyfunc.load_model(uri), mlflow.sklearn.load_model(uri)
    return {
        "inputs": plain.metadata.signature.inputs.input_names(),
        "example": len(plain.input_example),
        "labels": [str(item) for item in plain.predict(frame)],
        "shares": own.predict_proba(frame)[:, 1].tolist(),
    }


def main() -> None:
    uri, *model = sys.argv[1:]
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    client = MlflowClient(uri)
    json.dump({"runs": runs(client), "model": predicted(client, *model) if model else None}, sys.stdout)


if __name__ == "__main__":
    main()
