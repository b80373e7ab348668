"""How soon the page shows what a training reported, how fast its views come, and how heavy it is; in a real browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from benchmarks.report import Figure, Report
from benchmarks.support.homes import SERVICES, add_operation
from benchmarks.support.timing import quantile
from benchmarks.support.writers import BATCH_POINTS, batches, points_of
from tutelage.client import connect
from tutelage.core.commands import Verb
from tutelage.core.errors import MissingDependency
from tutelage.core.layout import HomeFiles
from tutelage.core.wire import CommandRequest
from tutelage.interfaces.rest.page import Page
from tutelage.settings import Settings
from tutelage.store import Store

NUM_OPERATIONS = 1_000
LONG_POINTS = 1_000_000
METRIC = "train_loss"
STEP_S = 0.137
"""No divisor of the journal's 200 ms, so that the steps fall anywhere between two flushes."""

SEEN = """
window.seen = [];
new MutationObserver(() => {
  const told = document.querySelector('.meta')?.innerText.match(/step ([\\d,]+)/);
  if (told) window.seen.push([Number(told[1].replace(/,/g, '')), Date.now()]);
}).observe(document.querySelector('main'), {subtree: true, childList: true, characterData: true});
"""

PAINTED = """
window.painted = new Promise(done => {
  const look = () => document.querySelector(%s)
    ? requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())))
    : requestAnimationFrame(look);
  requestAnimationFrame(look);
});
"""
"""Looks at every frame, within the page: what drives the browser takes a tenth of a second to be told."""


def run(*, quick: bool) -> Report:
    """Measure the page in a headless chromium before a server process. Raises MissingDependency without a chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise MissingDependency("there is no chromium to measure in", hint="sudo apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        visible_ms = time_visible(browser, Path(folder) / "live", num_steps=40 if quick else 200)
        table_ms, history_ms = time_views(browser, Path(folder) / "full", num_visits=3 if quick else 9)
        browser.close()
    num_bytes = sum(len(asset.content) for name, asset in Page().assets.items() if not name.endswith(".txt"))
    return Report(
        name="page",
        figures=[
            Figure(key="visible_p99_ms", value=quantile(visible_ms, 0.99), unit="ms", at_most=500),
            Figure(key="visible_p50_ms", value=quantile(visible_ms, 0.5), unit="ms"),
            Figure(key="table_1000_ops_ms", value=table_ms, unit="ms", at_most=300),
            Figure(key="history_1m_ms", value=history_ms, unit="ms", at_most=500),
            Figure(key="bytes_total", value=num_bytes, unit="bytes", at_most=200_000),
        ],
    )


def time_visible(browser: Browser, home: Path, *, num_steps: int) -> list[float]:
    """Return how long after a step was reported the page showed it, or a later one; milliseconds, for each step."""
    spec = {"service": "fake", "config": {"steps": 100_000, "step_s": STEP_S}}
    with served(home) as (url, login), connect(Settings(home=home, url=None), start=False) as client:
        made = client.submit(spec)
        client.wait(made.id, until="step>=5", timeout_s=60)
        page = signed_in(browser, login).new_page()
        page.goto(f"{url}/#/op/{made.id}")
        page.wait_for_selector(".plot canvas")
        page.evaluate(SEEN)
        first = client.metrics(made.id).steps[-1] + 1
        client.wait(made.id, until=f"step>={first + num_steps}", timeout_s=600)
        page.wait_for_timeout(1000)
        seen = page.evaluate("window.seen")
        told = [event for event in client.events(made.id, limit=10_000, kinds=("metric",)).items if event.scope == ""]
        page.context.close()
    told_at = {event.step: datetime.fromisoformat(event.at).timestamp() * 1000 for event in told}
    return [
        next(at_ms for shown, at_ms in seen if shown >= step) - told_at[step]
        for step in range(first, first + num_steps)
    ]


def time_views(browser: Browser, home: Path, *, num_visits: int) -> tuple[float, float]:
    """Return the median times until a table of a thousand operations and a chart of a million points stand there."""
    with closing(Store(HomeFiles(home).database)) as store:
        long = [add_operation(store) for _ in range(NUM_OPERATIONS)][-1]
        for rows in batches(LONG_POINTS // BATCH_POINTS, metrics=(METRIC,)):
            with store.writing("NORMAL") as tx:
                tx.add_points(long, points_of(rows))
    with served(home) as (url, login):
        context = signed_in(browser, login)
        table = [_until(context, f"{url}/#/", "tr.row") for _ in range(num_visits + 1)]
        chart = [_until(context, f"{url}/#/op/{long}", ".plot canvas") for _ in range(num_visits + 1)]
        context.close()
    return quantile(table[1:], 0.5), quantile(chart[1:], 0.5)


def _until(context: BrowserContext, url: str, selector: str) -> float:
    """Return the milliseconds from the start of a navigation until a selector is there and two more frames are due."""
    page = context.new_page()
    page.add_init_script(PAINTED % json.dumps(selector))
    page.goto(url, wait_until="commit")
    took_ms = float(page.evaluate("window.painted"))
    page.close()
    return took_ms


def signed_in(browser: Browser, login: str) -> BrowserContext:
    """Return a browser's context that went through the login link."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(login)
    page.wait_for_selector("#main h1")
    page.close()
    return context


@contextmanager
def served(home: Path) -> Iterator[tuple[str, str]]:
    """Run `tutelage serve` on a home; yield its address and a login link."""
    home.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "TUTELAGE_HOME": str(home), "TUTELAGE_SERVICES": json.dumps(SERVICES)}
    environment.pop("TUTELAGE_URL", None)
    command = [sys.executable, "-m", "tutelage", "serve", "--port", "0", "--json"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None, "asked for above"
        told = json.loads(process.stdout.readline())
        yield told["url"], told["login"]
        with connect(Settings(home=home, url=None), start=False) as client:
            for operation in client.operations(state="running").items:
                client.command(operation.id, CommandRequest(verb=Verb.CANCEL, reason="measured"))
                client.wait(operation.id, until="terminal", timeout_s=30)
    finally:
        process.terminate()
        process.communicate(timeout=30)
