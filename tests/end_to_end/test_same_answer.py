"""One operation, asked about in every interface: the same assessment, the same wait, the same comparison."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client.client import Client as McpClient
from mcp.client.streamable_http import streamable_http_client
from tests.serving import Served, environment_of, served_at

from tutelage.client import Client, connect
from tutelage.core.access import Scope
from tutelage.core.commands import Verb
from tutelage.core.findings import Verdict
from tutelage.core.wire import CommandRequest, Operation, Wire
from tutelage.settings import Settings

pytestmark = pytest.mark.slow  # a server, and a process for each command

OVERFITS = {"rows": 12, "features": 40, "noise": 1.0, "steps": 400}
Ask = Callable[..., dict[str, Any]]
INTERFACES = ("client", "rest", "cli", "mcp")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_at(tmp_path_factory.mktemp("same") / "home") as found:
        yield found


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[Client]:
    settings = Settings(home=served.home, url=served.url, token=served.tokens[Scope.OPERATE])
    with connect(settings, start=False) as connected:
        yield connected


@pytest.fixture(scope="module")
def ended(client: Client) -> tuple[Operation, Operation]:
    """Two runs, one that overfits by much and one by less."""
    begun = [
        client.submit({"service": "fake", "seed": 1, "config": {**OVERFITS, "noise": noise}}) for noise in (1.0, 0.5)
    ]
    first, second = (client.wait(item.id, timeout_s=60).operation for item in begun)
    return first, second


@pytest.fixture(scope="module")
def asks(served: Served, client: Client) -> dict[str, dict[str, Ask]]:
    """Return, for each interface, how it says show, wait and compare; each answers the wire's object as JSON."""

    def rest(path: str, **params: str) -> dict[str, Any]:
        answer = served.ask("GET", f"/api/v1{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def cli(*arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "tutelage", *arguments, "--json"],
            env={**os.environ, **environment_of(served.home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def mcp(tool: str, part: str | None, **arguments: Any) -> dict[str, Any]:
        async def go() -> Any:
            headers = {"Authorization": f"Bearer {served.tokens[Scope.READ]}"}
            async with (
                httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http,
                McpClient(streamable_http_client(f"{served.url}/mcp", http_client=http)) as agent,
            ):
                return await agent.call_tool(tool, arguments)

        answer = anyio.run(go)
        assert not answer.is_error, answer.content[0].text
        return answer.structured_content[part] if part else answer.structured_content

    return {
        "client": {
            "show": lambda item: plain(client.operation(item)),
            "wait": lambda item, until: plain(client.wait(item, until=until, timeout_s=30)),
            "compare": lambda *ids: plain(client.compare(ids)),
        },
        "rest": {
            "show": lambda item: rest(f"/operations/{item}"),
            "wait": lambda item, until: rest(f"/operations/{item}/wait", until=until, timeout_s="30"),
            "compare": lambda *ids: rest("/compare", ids=",".join(ids)),
        },
        "cli": {
            "show": lambda item: cli("show", item),
            "wait": lambda item, until: cli("wait", item, "--until", until, "--timeout", "30"),
            "compare": lambda *ids: cli("compare", *ids),
        },
        "mcp": {
            "show": lambda item: mcp("get_operation", "operation", operation=item),
            "wait": lambda item, until: mcp("wait_operation", None, operation=item, until=until, timeout_s=30),
            "compare": lambda *ids: mcp("compare_operations", "comparison", operations=list(ids)),
        },
    }


def plain(value: Wire) -> dict[str, Any]:
    return value.model_dump(mode="json", by_alias=True)


@pytest.mark.parametrize("interface", INTERFACES)
def test_an_operation_has_one_assessment(
    asks: dict[str, dict[str, Ask]], ended: tuple[Operation, Operation], interface: str
) -> None:
    assert ended[0].assessment is not None
    assert ended[0].assessment.verdict is Verdict.OVERFITTING
    assert asks[interface]["show"](ended[0].id)["assessment"] == plain(ended[0].assessment)


@pytest.mark.parametrize("interface", INTERFACES)
@pytest.mark.parametrize("until", ["terminal", "verdict_change"])
def test_a_wait_says_the_same_whoever_waits(
    asks: dict[str, dict[str, Ask]], ended: tuple[Operation, Operation], client: Client, until: str, interface: str
) -> None:
    said = asks[interface]["wait"](ended[0].id, until)
    expected = plain(client.wait(ended[0].id, until=until, timeout_s=30))
    assert {key: said[key] for key in ("reached", "until")} == {key: expected[key] for key in ("reached", "until")}
    assert said["operation"]["assessment"] == expected["operation"]["assessment"]
    assert said["reached"] is (until == "terminal"), "an ended run's verdict changes no more"


@pytest.mark.parametrize("interface", INTERFACES)
def test_a_comparison_says_the_same_whoever_compares(
    asks: dict[str, dict[str, Ask]], ended: tuple[Operation, Operation], client: Client, interface: str
) -> None:
    ids = tuple(item.id for item in ended)
    said = asks[interface]["compare"](*ids)
    assert said == plain(client.compare(ids))
    assert said["significance"] is not None


def test_a_change_of_the_verdict_wakes_whoever_waits(client: Client, asks: dict[str, dict[str, Ask]]) -> None:
    """Told apart in their own time: nothing, then improving, then overfitting."""
    begun = client.submit({"service": "fake", "config": {**OVERFITS, "step_s": 0.04}})
    with ThreadPoolExecutor(len(INTERFACES)) as pool:
        waits = {name: pool.submit(asks[name]["wait"], begun.id, "verdict_change") for name in INTERFACES}
        said = {name: wait.result(60) for name, wait in waits.items()}
    client.command(begun.id, CommandRequest(verb=Verb.CANCEL, reason="seen enough"))
    assert {name: answer["reached"] for name, answer in said.items()} == dict.fromkeys(INTERFACES, True)
    verdicts = {answer["operation"]["assessment"]["verdict"] for answer in said.values()}
    assert verdicts <= {"improving", "overfitting", "plateaued", "insufficient_evidence"}
