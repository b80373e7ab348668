"""Pictures of every view, light and dark, of real trainings; `TUTELAGE_PICTURES=docs/images` keeps them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.browsing import context_of
from tests.serving import Served, served_at

from tutelage.client import Client, connect, load_document
from tutelage.core.commands import Verb
from tutelage.core.wire import CommandRequest
from tutelage.settings import Settings

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "examples" / "script" / "gradient_descent.py"
SIZE = {"width": 1200, "height": 760}


def descent(name: str, **settings: float) -> dict[str, object]:
    """Return the spec of the example script with settings."""
    config = {"command": [sys.executable, str(SCRIPT)], "working_dir": str(ROOT), "settings": settings}
    return {"service": "script", "name": name, "config": config, "resources": {"memory_gib": 1}}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_at(tmp_path_factory.mktemp("pictures") / "home", TUTELAGE_SERVICES="{}") as made:
        yield made


@pytest.fixture(scope="module")
def runs(served: Served) -> Iterator[dict[str, str]]:
    """Five real trainings: ended by itself, stopped by hand, stopped by its policy, broken, and one that goes on."""
    with connect(Settings(home=served.home), start=False) as client:
        document = load_document(ROOT / "examples" / "breast_cancer.yaml")
        document["config"]["hyperparameterSearch"]["nTrials"] = 8
        rule = {"plateaued": {"do": "stop", "hold": 40}}
        ruled = {**descent("stopped by rule", lr=0.05, step_s=0.004, steps=5_000), "policy": {"on": rule}}
        ids = {
            "search": client.submit(document).id,
            "stopped": client.submit(descent("gradient descent", lr=0.004, step_s=0.002)).id,
            "ruled": client.submit(ruled).id,
            "broken": client.submit(descent("too fast", lr=2.5, step_s=0.01, steps=100_000)).id,
            "running": client.submit(descent("slow and steady", lr=0.0005, step_s=0.01, steps=100_000)).id,
        }
        steer(client, ids["stopped"])
        for name in ("search", "ruled"):
            client.wait(ids[name], until="terminal", timeout_s=200)
        yield ids
        for name in ("broken", "running"):
            client.command(ids[name], CommandRequest(verb=Verb.CANCEL, reason="pictured"))
            client.wait(ids[name], until="terminal", timeout_s=60)


def steer(client: Client, operation_id: str) -> None:
    client.wait(operation_id, until="step>=600", timeout_s=60)
    client.command(operation_id, CommandRequest(verb=Verb.CHECKPOINT, reason="before a look at the weights"))
    client.wait(operation_id, until="step>=1300", timeout_s=60)
    client.command(operation_id, CommandRequest(verb=Verb.STOP, reason="good enough for a first comparison"))
    client.wait(operation_id, until="terminal", timeout_s=60)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_view_has_its_picture(
    browser: Browser, served: Served, runs: dict[str, str], tmp_path: Path, theme: str
) -> None:
    folder = Path(os.environ.get("TUTELAGE_PICTURES") or tmp_path)
    views = {
        "operations": "",
        "operation": f"op/{runs['stopped']}",
        "search": f"op/{runs['search']}",
        "broken": f"op/{runs['broken']}",
        "policy": f"op/{runs['ruled']}",
        "compare": f"compare/{runs['stopped']},{runs['running']}",
        "new": "new",
        "models": f"models/{runs['search']}",
        "services": "services",
        "hosts": "hosts",
        "decisions": "decisions",
    }
    context = context_of(browser, served, color_scheme=theme, viewport=SIZE)
    page = context.new_page()
    for name, view in views.items():
        page.goto(f"{served.url}/#/{view}")
        page.reload()
        expect(page.locator("#main h1")).to_be_visible()
        expect(page.locator("#live")).to_contain_text("Live")
        if view.startswith(("op/", "compare/")):
            expect(page.locator("canvas").first).to_be_visible()
        if view.startswith("op/"):
            expect(page.get_by_role("tabpanel").first).not_to_be_empty()
        if view.startswith("models/"):
            page.get_by_role("button", name="Ask the model").click()
            expect(page.get_by_role("region", name="Predictions")).to_contain_text("0.", timeout=60_000)
        page.wait_for_load_state("load")
        picture = page.screenshot(path=folder / f"{name}-{theme}.png")
        assert len(picture) < 250_000
    context.close()
