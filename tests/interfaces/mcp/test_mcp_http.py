"""Tests for MCP over streamable HTTP: a served home, the SDK's own client, tokens of different reach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from mcp.client.client import Client as McpClient
from mcp.client.streamable_http import streamable_http_client
from tests.serving import Served, served_at

from tutelage.core.access import Scope

FAKE = {"service": "fake", "config": {"steps": 60}}
ASKING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_at(tmp_path_factory.mktemp("mcp-http") / "home") as found:
        yield found


def ask(served: Served, scope: Scope, script: Callable[[Any], Awaitable[Any]], *, mode: str = "auto") -> Any:
    """Run an agent's script over HTTP with the token of a scope."""

    async def go() -> Any:
        headers = {"Authorization": f"Bearer {served.tokens[scope]}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http:
            transport = streamable_http_client(f"{served.url}/mcp", http_client=http)
            async with McpClient(transport, mode=mode) as agent:
                return await script(agent)

    return anyio.run(go)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_an_agent_trains_over_http_in_the_name_of_its_token(served: Served, mode: str) -> None:
    async def script(agent: Any) -> tuple[Any, Any]:
        started = await agent.call_tool("start_training", {"spec": FAKE, "reason": "by http"})
        operation = started.structured_content["operation"]
        arguments = {"operation": operation["id"], "until": "terminal", "timeout_s": 30}
        return operation, (await agent.call_tool("wait_operation", arguments)).structured_content

    operation, waited = ask(served, Scope.OPERATE, script, mode=mode)
    assert operation["owner"] == {"name": "operate-bot", "kind": "agent"}
    assert waited["operation"]["state"] == "completed"


def test_a_token_that_only_reads_looks_and_changes_nothing(served: Served) -> None:
    async def script(agent: Any) -> tuple[Any, Any]:
        looked = await agent.call_tool("list_operations", {})
        return looked, await agent.call_tool("start_training", {"spec": FAKE, "reason": "not mine to start"})

    looked, refused = ask(served, Scope.READ, script)
    assert not looked.is_error
    assert refused.is_error
    assert "scope operate" in refused.content[0].text


def test_without_a_token_nobody_is_let_in_and_no_challenge_is_sent(served: Served) -> None:
    answer = served.ask("POST", "/mcp", scope=None, json=ASKING)
    assert answer.status_code == 401
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_another_host_or_page_is_not_let_in(served: Served, headers: dict[str, str]) -> None:
    with served.http(Scope.ADMIN, **headers) as http:
        answer: httpx.Response = http.post("/mcp", json=ASKING)
    assert answer.status_code in (403, 421)


def test_a_relative_path_is_refused_because_nobody_knows_from_where(served: Served) -> None:
    async def script(agent: Any) -> Any:
        spec = {"service": "fake", "config": {"out_path": "weights.json"}}
        return await agent.call_tool("start_training", {"spec": spec, "reason": "relative"})

    refused = ask(served, Scope.OPERATE, script)
    assert refused.is_error
    assert "out_path" in refused.content[0].text
