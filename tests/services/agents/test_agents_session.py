"""The session API of the original service, and acting from the command line, on a real platform."""

from __future__ import annotations

import io
import json
from pathlib import Path

import anyio
import pytest

from tutelage.client import connect
from tutelage.interfaces.cli.app import main
from tutelage.services.agents.session import AgentForgeTrainingService


@pytest.mark.slow  # trains under the real supervisor
def test_a_session_from_its_start_to_acting(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> str:
        with connect() as client:
            service = AgentForgeTrainingService(client)
            session = await service.start_training_session("my task", {"preset": "nano"})
            await anyio.to_thread.run_sync(lambda: client.wait(session, timeout_s=120))
            status = await service.get_training_status(session)
            assert (status["task_id"], status["state"]) == ("my task", "completed")
            assert (status["progress"], status["total_steps"]) == (1.0, 8192)
            units = client.operation(session)
            assert (units.progress.unit, units.metrics.unit) == ("environment step", "episode")
            assert status["reward"] > 10
            assert [model["operation"] for model in await service.list_trained_models()] == [session]
            artifacts = await service.get_model_artifacts(session)
            assert Path(artifacts["agent_weights.safetensors"]).is_file()
            return session

    session = anyio.run(play)
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", io.StringIO('[0.0, 0.1, 0.0, 0.2]\n{"observation": [0.0, 0.1, 0.2, 0.3]}\n'))
    assert main(["act", session]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["action"] in (0, 1) for each in answers] == [True, True]
    assert main(["act", session, "-o", "[1, 2]"]) == 2
    assert "4 numbers" in capsys.readouterr().err
    assert main(["act", session, "-o", "left"]) == 2
    assert "not valid JSON" in capsys.readouterr().err
