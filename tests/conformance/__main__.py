"""Serve a home, put a token on the suite's requests, which it cannot do itself, and run the suite against it."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from tests.serving import Served, served_at
from tutelage.core.access import Scope

SUITES = {
    "2025-11-25": ("@modelcontextprotocol/conformance@0.1.16", "--suite", "active"),
    "2026-07-28": ("@modelcontextprotocol/conformance@0.2.0-alpha.12", "--suite", "all"),
}
"""Revision of the protocol -> the suite's release that knows it, and its options."""

NODE = "node@22"
"""The suite needs a newer node than some distributions have; npm brings this one."""

INSPECTOR = "@modelcontextprotocol/inspector@2.12.0"

OF_A_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding")


def relay(served: Served) -> Starlette:
    """Return an application that hands every request on to the server, with the operator's token, else unchanged."""
    token = {"authorization": f"Bearer {served.tokens[Scope.OPERATE]}"}

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(base_url=served.url, timeout=None, trust_env=False) as client:
            app.state.client = client
            yield

    async def pass_on(request: Request) -> StreamingResponse:
        client: httpx.AsyncClient = request.app.state.client
        headers = {key: value for key, value in request.headers.items() if key not in OF_A_HOP} | token
        asked = client.build_request(request.method, request.url.path, headers=headers, content=await request.body())
        answer = await client.send(asked, stream=True)
        kept = {key: value for key, value in answer.headers.items() if key not in OF_A_HOP}
        done = BackgroundTask(answer.aclose)
        return StreamingResponse(answer.aiter_bytes(), status_code=answer.status_code, headers=kept, background=done)

    return Starlette(routes=[Route("/mcp", pass_on, methods=["GET", "POST", "DELETE"])], lifespan=lifespan)


@contextmanager
def relayed(served: Served) -> Iterator[str]:
    """Yield the address of a relay to the server."""
    server = uvicorn.Server(uvicorn.Config(relay(served), port=0, log_level="warning"))
    socket = server.config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}/mcp"
    finally:
        server.should_exit = True
        thread.join()


def run(revision: str, url: str, folder: str) -> int:
    """Run the suite of one revision against a server; 0 when exactly the expected scenarios fail."""
    package, *options = SUITES[revision]
    baseline = Path(__file__).with_name(f"{revision}.yml")
    arguments = ["--url", url, "--spec-version", revision, "--expected-failures", str(baseline), *options]
    return npx(package, "conformance", "server", *arguments, folder=folder)


def inspect(url: str, folder: str) -> int:
    """Let the inspector read the tools in strict mode; 0 when it has nothing to say against them."""
    arguments = ["--cli", "--strict", url, "--transport", "http", "--method", "tools/list"]
    return npx(INSPECTOR, "mcp-inspector", *arguments, folder=folder)


def npx(package: str, *command: str, folder: str) -> int:
    """Run a command of an npm package and return its exit code."""
    return subprocess.run(
        ["npx", "--yes", "--package", NODE, "--package", package, *command], cwd=folder, check=False
    ).returncode


def main() -> int:
    """Run every suite and the inspector; return 0 when each failed as expected and nowhere else."""
    with tempfile.TemporaryDirectory() as folder, served_at(Path(folder) / "home") as served, relayed(served) as url:
        return max(*(run(revision, url, folder) for revision in SUITES), inspect(url, folder))


if __name__ == "__main__":
    raise SystemExit(main())
