"""An agent's loop without a language model, by MCP alone: start two runs, stop the worse, branch the better, report.

`python steward.py`: it starts `tutelage mcp` itself and trains examples/script/gradient_descent.py.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

SCRIPT = Path(__file__).parents[1] / "script" / "gradient_descent.py"
RATES = (0.0001, 0.001)
FASTER = 3.0


class Steward:
    """What it knows, and the tools in its hands."""

    def __init__(self, tools: Client) -> None:
        self._tools = tools
        self.num_calls = 0

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool and return its structured answer; an error ends the loop with its text."""
        self.num_calls += 1
        answer = await self._tools.call_tool(tool, arguments)
        if answer.is_error:
            raise RuntimeError(f"{tool}: {answer.content[0].text}")
        return answer.structured_content

    async def work(self) -> None:
        """Start, wait, compare, stop, branch, wait, report."""
        first, second = [await self.start(rate) for rate in RATES]
        for run in (first, second):
            await self.call("wait_operation", operation=run, until="step>=200", timeout_s=60)
        better, worse = await self.ranked(first, second)
        why = f"its val_loss at the same step is behind that of {better}"
        if (await self.call("get_operation", operation=worse))["operation"]["state"] == "running":
            await self.call("control_operation", operation=worse, verb="stop", reason=why)
        await self.call("wait_operation", operation=better, until="terminal", timeout_s=120)
        rate = FASTER * RATES[(first, second).index(better)]
        branched = await self.call(
            "branch_operation",
            operation=better,
            checkpoint="last",
            changes={"settings.lr": rate, "settings.steps": 4000},
            reason=f"still improving: try learning rate {rate:g}",
        )
        third = branched["decision"]["created"]
        await self.call("wait_operation", operation=third, until="terminal", timeout_s=120)
        compared = await self.call("compare_operations", operations=[first, second, third])
        decisions = (await self.call("get_decisions"))["decisions"]
        self.report(compared["comparison"], decisions)

    async def start(self, rate: float) -> str:
        """Start one run and return its id."""
        config = {
            "command": [sys.executable, str(SCRIPT)],
            "working_dir": str(SCRIPT.parent),
            "settings": {"lr": rate, "step_s": 0.002},
        }
        spec = {"service": "script", "name": f"descent at {rate:g}", "config": config}
        started = await self.call("start_training", spec=spec, reason=f"learning rate {rate:g} against the other")
        return str(started["operation"]["id"])

    async def ranked(self, *runs: str) -> list[str]:
        """Return the runs, best first, by val_loss at the last step that all of them have reached."""
        curves = []
        for run in runs:
            rows = (await self.call("get_metrics", operation=run, keys=["val_loss"], points=100))["rows"]
            curves.append({int(step): float(value) for step, value in rows if step <= 200})
        return [run for _, run in sorted(zip((curve[max(curve)] for curve in curves), runs, strict=True))]

    def report(self, comparison: dict[str, Any], decisions: list[dict[str, Any]]) -> None:
        """Print what came out, with its numbers, and what was decided."""
        lines = [comparison["sentence"]]
        for operation in comparison["operations"]:
            best = operation["best"]
            lines.append(
                f"  {operation['name'] or operation['id']}: {best['metric']} {best['value']:.4f} at {best['step']}"
            )
        lines += [f"  {item['verb']}: {item['reason']}" for item in decisions]
        sys.stdout.write("\n".join([*lines, f"{self.num_calls} calls"]) + "\n")


async def main() -> None:
    """Open the tools and go to work."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "tutelage", "mcp", "--name", "steward"], env=dict(os.environ)
    )
    async with Client(stdio_client(server)) as tools:
        await Steward(tools).work()


if __name__ == "__main__":
    anyio.run(main)
