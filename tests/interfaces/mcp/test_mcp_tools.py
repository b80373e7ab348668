"""Tests for the MCP tools, through the SDK's own client, over a real supervisor."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client.client import Client as McpClient
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, PromptReference
from tests.support import ME, supervisor_at

from tutelage.client import Client
from tutelage.core import wire
from tutelage.interfaces.mcp import Access, build

TOOLS = {
    "list_services": True,
    "list_operations": True,
    "get_operation": True,
    "wait_operation": True,
    "get_metrics": True,
    "compare_operations": True,
    "get_decisions": True,
    "use_model": True,
    "start_training": False,
    "control_operation": False,
    "tune_operation": False,
    "branch_operation": False,
}
"""Tool -> whether it only looks."""

AGENT = wire.Principal(name="scout", kind="agent")
FAKE = {"service": "fake", "config": {"steps": 60}}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mcp") / "home"


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[Client]:
    with supervisor_at(home) as (_, found):
        yield found


def ask(client: Client, script: Callable[[Any], Awaitable[Any]], *, read_only: bool = False) -> Any:
    """Run an agent's script against a server in this process."""

    async def go() -> Any:
        access = Access(platform=client, principal=lambda: AGENT, folder=Path.cwd())
        async with McpClient(build(access, read_only=read_only)) as agent:
            return await script(agent)

    return anyio.run(go)


async def call(agent: Any, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """Call a tool that must succeed; its text must be its structured content, within 8 kB."""
    answer = await agent.call_tool(tool, arguments)
    text = answer.content[0].text
    assert not answer.is_error, text
    assert json.loads(text) == answer.structured_content
    assert len(text.encode()) <= 8_000
    return answer.structured_content


async def refusal(agent: Any, tool: str, /, **arguments: Any) -> str:
    """Call a tool that must refuse, and return its text."""
    answer = await agent.call_tool(tool, arguments)
    assert answer.is_error
    return answer.content[0].text


def test_there_are_the_twelve_tools_and_each_says_whether_it_changes_something(client: Client) -> None:
    async def script(agent: Any) -> list[Any]:
        return (await agent.list_tools()).tools

    tools = ask(client, script)
    assert {tool.name: tool.annotations.read_only_hint for tool in tools} == TOOLS
    for tool in tools:
        assert tool.output_schema, tool.name
        assert "Example:" in tool.description, tool.name
        assert "Next:" in tool.description, tool.name
        needs = "reason" in tool.input_schema.get("required", ())
        assert needs is not TOOLS[tool.name], tool.name


def test_read_only_offers_no_tool_that_changes_something(client: Client) -> None:
    async def script(agent: Any) -> list[Any]:
        return (await agent.list_tools()).tools

    offered = {tool.name for tool in ask(client, script, read_only=True)}
    assert offered == {name for name, looks in TOOLS.items() if looks}


def test_an_agent_starts_waits_branches_compares_and_reads_the_ledger(client: Client) -> None:
    async def script(agent: Any) -> None:
        started = await call(agent, "start_training", spec=FAKE, reason="first try", idempotency_key="once")
        again = await call(agent, "start_training", spec=FAKE, reason="first try", idempotency_key="once")
        first = started["operation"]["id"]
        assert again["operation"]["id"] == first
        assert again["operation"]["owner"] == {"name": "scout", "kind": "agent"}
        assert again["operation"]["notes"] == "first try"
        waited = await call(agent, "wait_operation", operation=first, until="terminal", timeout_s=30)
        assert waited["reached"] is True
        assert waited["operation"]["state"] == "completed"
        branched = await call(agent, "branch_operation", operation=first, reason="more", changes={"lr": 0.2})
        second = branched["decision"]["created"]
        await call(agent, "wait_operation", operation=second, until="terminal", timeout_s=30)
        compared = await call(agent, "compare_operations", operations=[first, second])
        assert compared["comparison"]["config_diff"]["lr"]
        read = await call(agent, "get_decisions", operation=first)
        assert read["decisions"][-1]["reason"] == "more"
        rows = await call(agent, "get_metrics", operation=first, keys=["val_loss"], points=10)
        assert rows["columns"] == ["step", "val_loss"]
        seen = await call(agent, "get_operation", operation=first, lineage=True)
        assert {edge["child"] for edge in seen["lineage"]["edges"]} == {second}

    ask(client, script)


def test_a_run_is_tuned_and_stopped_with_its_reasons_in_the_ledger(client: Client) -> None:
    spec = {"service": "fake", "config": {"steps": 100_000, "step_s": 0.01}}

    async def script(agent: Any) -> None:
        started = await call(agent, "start_training", spec=spec, reason="a long one")
        found = started["operation"]["id"]
        await call(agent, "wait_operation", operation=found, until="step>=3", timeout_s=30)
        await call(agent, "tune_operation", operation=found, values={"lr": 0.01}, reason="too fast")
        await call(agent, "control_operation", operation=found, verb="stop", reason="enough")
        ended = await call(agent, "wait_operation", operation=found, until="terminal", timeout_s=30)
        assert ended["operation"]["stopped_early"] is True
        read = await call(agent, "get_decisions", operation=found)
        assert [(item["verb"], item["reason"]) for item in read["decisions"]] == [
            ("tune", "too fast"),
            ("stop", "enough"),
        ]
        assert all(item["principal"] == {"name": "scout", "kind": "agent"} for item in read["decisions"])

    ask(client, script)


def test_a_dry_run_starts_nothing(client: Client) -> None:
    before = client.operations().counts

    async def script(agent: Any) -> None:
        said = await call(agent, "start_training", spec=FAKE, reason="look", dry_run=True)
        assert said["operation"] is None
        assert said["dry_run"]["config"]["steps"] == 60

    ask(client, script)
    assert client.operations().counts == before


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("get_operation", {"operation": "op_nobody"}, "no operation"),
        ("start_training", {"spec": {"service": "fakee", "config": {}}, "reason": "r"}, "fake"),
        ("start_training", {"spec": FAKE, "reason": "r", "inspect": {"dataPath": "x.csv"}}, "dry_run"),
        ("start_training", {"spec": FAKE}, "reason: Field required"),
        ("control_operation", {"operation": "last", "verb": "stp", "reason": "r"}, "'stop'"),
        ("get_metrics", {"operation": "last", "points": 1}, "points: Input should be greater"),
        ("wait_operation", {"operation": "last", "until": "whenever"}, "verdict_change"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(client: Client, tool: str, arguments: dict[str, Any], said: str) -> None:
    client.submit(FAKE, principal=ME)

    async def script(agent: Any) -> str:
        return await refusal(agent, tool, **arguments)

    text = ask(client, script)
    assert said in text
    assert "What to do:" in text
    assert "pydantic" not in text


def test_waiting_tells_its_progress(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tutelage.interfaces.mcp.reading.SLICE_S", 0.1)
    spec = {"service": "fake", "config": {"steps": 100, "step_s": 0.01}}
    told: list[tuple[float, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))

    async def script(agent: Any) -> None:
        started = await call(agent, "start_training", spec=spec, reason="watch")
        arguments = {"operation": started["operation"]["id"], "until": "terminal", "timeout_s": 30}
        await agent.call_tool("wait_operation", arguments, progress_callback=on_progress)

    ask(client, script)
    assert told
    assert [progress for progress, _ in told] == sorted(progress for progress, _ in told)


def test_resources_and_the_prompt_are_served(client: Client) -> None:
    found = client.submit(FAKE, principal=ME).id
    client.wait(found, timeout_s=30)

    async def script(agent: Any) -> None:
        templates = {item.uri_template for item in (await agent.list_resource_templates()).resource_templates}
        assert templates == {f"operation://{{operation}}/{kind}" for kind in ("summary", "metrics", "log", "decisions")}
        read = await agent.read_resource(f"operation://{found}/summary")
        assert json.loads(read.contents[0].text)["operation"]["id"] == found
        prompt = await agent.get_prompt("monitor_training", {"operation": found})
        assert found in prompt.messages[0].content.text

    ask(client, script)


def test_an_unknown_prompt_is_a_wrong_parameter_and_the_answer_names_ours(client: Client) -> None:
    async def script(agent: Any) -> MCPError:
        with pytest.raises(MCPError, match="monitor_training") as refused:
            await agent.get_prompt("monitor")
        return refused.value

    assert ask(client, script).error.code == INVALID_PARAMS


def test_ids_of_operations_are_completed(client: Client) -> None:
    found = client.submit(FAKE, principal=ME).id

    async def complete(agent: Any, name: str, value: str) -> list[str]:
        ref = PromptReference(type="ref/prompt", name="monitor_training")
        return list((await agent.complete(ref, {"name": name, "value": value})).completion.values)

    async def script(agent: Any) -> None:
        assert await complete(agent, "operation", found[-6:]) == [found]
        assert found in await complete(agent, "operation", "op_")
        assert await complete(agent, "operation", "no such id") == []
        assert await complete(agent, "colour", "op_") == []

    ask(client, script)


def test_a_subscriber_hears_of_a_change(client: Client) -> None:
    spec = {"service": "fake", "config": {"steps": 100_000, "step_s": 0.01}}

    async def script(agent: Any) -> None:
        started = await call(agent, "start_training", spec=spec, reason="subscribe")
        found = started["operation"]["id"]
        address = f"operation://{found}/summary"
        with anyio.fail_after(30):
            async with agent.listen(resource_subscriptions=[address]) as events:
                await call(
                    agent, "control_operation", operation=started["operation"]["id"], verb="stop", reason="heard"
                )
                async for event in events:
                    assert str(event.uri) == address
                    break

    ask(client, script)


@asynccontextmanager
async def over_stdio(home: Path, *flags: str) -> AsyncIterator[Any]:
    env = {**os.environ, "TUTELAGE_HOME": str(home)}
    arguments = ["-m", "tutelage", "mcp", "--name", "scout", *flags]
    async with McpClient(stdio_client(StdioServerParameters(command=sys.executable, args=arguments, env=env))) as agent:
        yield agent


def test_the_command_serves_the_same_on_standard_input_and_output(client: Client, home: Path) -> None:
    async def go() -> None:
        async with over_stdio(home) as agent:
            assert {tool.name for tool in (await agent.list_tools()).tools} == set(TOOLS)
            started = await call(agent, "start_training", spec=FAKE, reason="by stdio")
            assert started["operation"]["owner"] == {"name": "scout", "kind": "agent"}
        async with over_stdio(home, "--read-only") as agent:
            assert "start_training" not in {tool.name for tool in (await agent.list_tools()).tools}

    anyio.run(go)
