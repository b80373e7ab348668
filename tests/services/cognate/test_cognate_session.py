"""The session API of the original service, on a real platform."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from tutelage.client import connect
from tutelage.services.cognate.session import TrainingService

PARAMETERS = {"preset": "nano", "max_steps": 12, "max_train_samples": 12}


@pytest.mark.slow  # trains under the real supervisor
def test_a_session_from_its_start_to_its_artifacts(home: Path) -> None:
    async def play() -> None:
        with connect() as client:
            service = TrainingService(client)
            session = await service.start_training_session("my task", PARAMETERS)
            await anyio.to_thread.run_sync(lambda: client.wait(session, timeout_s=120))
            status = await service.get_training_status(session)
            assert (status["task_id"], status["state"]) == ("my task", "completed")
            assert (status["progress"], status["step"], status["total_steps"]) == (1.0, 12, 12)
            assert status["loss"] > 0
            assert [model["operation"] for model in await service.list_trained_models()] == [session]
            artifacts = await service.get_model_artifacts(session)
            assert Path(artifacts["model.safetensors"]).is_file()

    anyio.run(play)


@pytest.mark.slow  # trains under the real supervisor
def test_a_session_can_be_cancelled(home: Path) -> None:
    async def play() -> None:
        with connect() as client:
            service = TrainingService(client)
            session = await service.start_training_session("long", {**PARAMETERS, "max_steps": 100_000})
            await anyio.to_thread.run_sync(lambda: client.wait(session, until="step>=2", timeout_s=120))
            assert await service.cancel_training_session(session)
            ended = await anyio.to_thread.run_sync(lambda: client.wait(session, timeout_s=60))
            assert str(ended.operation.state) == "cancelled"
            assert await service.list_trained_models() == []

    anyio.run(play)
