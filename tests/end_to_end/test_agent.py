"""An agent that has nothing but the tools brings a model home: it starts, waits, acts, compares, reads, predicts."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client.client import Client as McpClient
from mcp.client.stdio import StdioServerParameters, stdio_client
from sklearn.datasets import load_breast_cancer

pytestmark = pytest.mark.slow  # trains for real, in processes of its own

MAX_CALLS = 12
MAX_BYTES = 8_000


class Agent:
    """Calls tools, each of which must succeed in few bytes, and counts."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.called: list[str] = []

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Return a tool's structured answer."""
        self.called.append(tool)
        answer = await self._client.call_tool(tool, arguments)
        text = answer.content[0].text
        assert not answer.is_error, text
        assert len(text.encode()) <= MAX_BYTES, f"{tool} answered in {len(text.encode())} bytes"
        return dict(answer.structured_content)


def spec_of(algorithm: str, num_trials: int) -> dict[str, Any]:
    config = {
        "modelType": "classification",
        "algorithm": algorithm,
        "trainDataPath": "sklearn:breast_cancer",
        "targetColumn": "target",
        "hyperparameterSearch": {"enabled": True, "nTrials": num_trials},
    }
    return {"service": "tabular", "name": algorithm, "config": config}


async def bring_home(agent: Agent) -> dict[str, Any]:
    """Train two, stop the one that would take all day, keep the better one, and predict with it."""
    long = await agent.call("start_training", spec=spec_of("lightgbm", 5000), reason="boosting, as long as it gains")
    boosting = long["operation"]["id"]
    short = await agent.call("start_training", spec=spec_of("logistic_regression", 4), reason="a plain model beside it")
    plain = short["operation"]["id"]
    await agent.call("wait_operation", operation=boosting, until="step>=2", timeout_s=120)
    await agent.call("tune_operation", operation=boosting, values={"n_trials": 4000}, reason="the trials agree")
    await agent.call("control_operation", operation=boosting, verb="stop", reason="no gain to be seen: use the best")
    for operation in (boosting, plain):
        ended = await agent.call("wait_operation", operation=operation, until="terminal", timeout_s=240)
        assert ended["operation"]["state"] == "completed", ended
    compared = await agent.call("compare_operations", operations=[boosting, plain])
    decided = await agent.call("get_decisions", operation=boosting)
    rows = json.loads(load_breast_cancer(as_frame=True).data.head(2).to_json(orient="records"))
    winner = max(compared["comparison"]["operations"], key=lambda side: side["best"]["value"])["id"]
    said = await agent.call("use_model", operation=winner, data={"rows": rows})
    return {"compared": compared, "decided": decided, "said": said, "winner": winner}


def test_twelve_calls_bring_a_model_home(home: Path, tmp_path: Path) -> None:
    async def go() -> tuple[dict[str, Any], list[str]]:
        command = StdioServerParameters(
            command=sys.executable,
            args=["-m", "tutelage", "mcp", "--name", "scout"],
            env=dict(os.environ),
            cwd=tmp_path,
        )
        async with McpClient(stdio_client(command)) as client:
            agent = Agent(client)
            return await bring_home(agent), agent.called

    brought, called = anyio.run(go)
    assert len(called) <= MAX_CALLS, called
    decisions = brought["decided"]["decisions"]
    assert [(item["verb"], item["status"]) for item in decisions] == [("tune", "applied"), ("stop", "applied")]
    assert {item["principal"]["name"] for item in decisions} == {"scout"}
    assert brought["said"]["operation"] == brought["winner"]
    assert len(brought["said"]["data"]["predictions"]) == 2, brought["said"]
