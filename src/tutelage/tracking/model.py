"""The model on the tracker: with signature, example and requirements; then a registered version with its alias."""

from __future__ import annotations

from typing import Any

import mlflow
import mlflow.sklearn
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, Schema
from mlflow.types.schema import AnyType

from tutelage.core.layout import OperationFiles
from tutelage.core.service import load
from tutelage.core.tracking import TrackedModel, TrackingRequest
from tutelage.tracking.names import model_name
from tutelage.tracking.state import ExportState

NAME = "model"


def log_model(
    client: MlflowClient, files: OperationFiles, request: TrackingRequest, state: ExportState, run_id: str
) -> None:
    """Log the run's model; one that an earlier try logged whole is kept, a torn one is replaced."""
    assert request.model is not None, "the stage is left out where there is no model"
    state.model_uri = _logged_before(client, state, run_id)
    if state.model_uri:
        return
    tracked: TrackedModel = load(request.model)(files.root)
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.sklearn.log_model(
            tracked.model,
            name=NAME,
            serialization_format="cloudpickle",  # the default, skops, refuses even a plain random forest
            pip_requirements=list(tracked.requirements),
            signature=signature_of(tracked),
            input_example=tracked.example,
        )
    state.model_uri = logged.model_uri


def signature_of(tracked: TrackedModel) -> ModelSignature:
    """Return the signature: raw columns of any type, and what is predicted from the example.

    A stricter type would refuse rows that the model takes: MLflow does not read a column of whole numbers where
    `double` is declared, nor one with a missing cell where `long` is.
    """
    inputs = Schema([ColSpec(AnyType(), name) for name in tracked.columns])  # type: ignore[no-untyped-call]
    outputs = None
    if tracked.example is not None:
        outputs = infer_signature(model_output=tracked.model.predict(tracked.example)).outputs
    return ModelSignature(inputs=inputs, outputs=outputs)


def register(client: MlflowClient, request: TrackingRequest, state: ExportState, run_id: str, *, name: str) -> None:
    """Make one version of the run's model, and move the alias to it; a version of an earlier try is kept."""
    state.registered_model = model_name(name)
    version = _version_before(client, state.registered_model, run_id) or _new_version(client, state, run_id)
    state.model_version = str(version.version)
    if request.alias:
        client.set_registered_model_alias(state.registered_model, request.alias, state.model_version)
        state.model_alias = request.alias


def _new_version(client: MlflowClient, state: ExportState, run_id: str) -> Any:
    assert state.registered_model is not None, "set by the caller"
    assert state.model_uri is not None, "the model's stage is done"
    try:
        client.create_registered_model(state.registered_model)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    model_id = state.model_uri.removeprefix("models:/")
    return client.create_model_version(state.registered_model, source=state.model_uri, run_id=run_id, model_id=model_id)


def _version_before(client: MlflowClient, name: str, run_id: str) -> Any:
    found = client.search_model_versions(f"run_id = '{run_id}'")
    return next((item for item in found if item.name == name), None)


def _logged_before(client: MlflowClient, state: ExportState, run_id: str) -> str | None:
    """Return the address of a whole model of this run, and remove torn ones."""
    whole = None
    wanted = f"source_run_id = '{run_id}'"
    for model in client.search_logged_models([str(state.experiment_id)], filter_string=wanted):
        if str(model.status) == "READY":
            whole = f"models:/{model.model_id}"
        else:
            client.delete_logged_model(model.model_id)
    return whole
