"""Whether hundreds of watchers get every event, how late, and what that costs the supervisor, while two jobs train."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.report import Figure, Report
from benchmarks.support.homes import supervised
from benchmarks.support.timing import quantile
from benchmarks.support.watchers import Stalled, Watcher, lags_ms
from tutelage.client import Client
from tutelage.core.wire import CommandRequest

STEP_S = 0.05
NUM_STALLED = 20
ASK_EVERY_S = 0.005
SETTLE_S = 3.0
PAGE = 1000


@dataclass
class Readable:
    """When each event could first be read: a client of its own that asks for new ones all the time."""

    first_s: dict[int, float] = field(default_factory=dict)
    cursors: dict[str, str | None] = field(default_factory=dict)

    def follow(self, client: Client, operations: list[str], ended: threading.Event) -> None:
        """Ask until told to end; then take what is left."""
        self.cursors = dict.fromkeys(operations)
        while not ended.is_set():
            self.look(client)
            time.sleep(ASK_EVERY_S)
        while self.look(client):
            pass

    def look(self, client: Client) -> int:
        """Ask once for each operation; return how many events were new."""
        num_new = 0
        for operation, cursor in self.cursors.items():
            page = client.events(operation, since=cursor, limit=PAGE)
            now_s = time.monotonic()
            for event in page.items:
                self.first_s.setdefault(int(event.cursor), now_s)
            self.cursors[operation] = page.next_cursor
            num_new += len(page.items)
        return num_new


def run(*, quick: bool) -> Report:
    """Measure with 200 watchers, and unless quick with 500."""
    figures: list[Figure] = []
    for count in (200,) if quick else (200, 500):
        with tempfile.TemporaryDirectory(prefix="tutelage-bench-") as name, supervised(Path(name) / "home") as client:
            suffix = "" if count == 200 else f"_{count}"
            figures += _figures(client, count, suffix, watch_s=8.0 if quick else 30.0)
    return Report(name="watch", figures=figures)


def _figures(client: Client, count: int, suffix: str, *, watch_s: float) -> list[Figure]:
    config = {"steps": 1_000_000, "step_s": STEP_S}
    operations = [client.submit({"service": "fake", "config": config}).id for _ in range(2)]
    for operation in operations:
        client.wait(operation, until="step>=1", timeout_s=30)
    watchers = [Watcher(operations[index % 2]) for index in range(count)]
    readable, peak_mib, began_s = asyncio.run(_watch(client, operations, watchers, watch_s))
    lags = lags_ms(watchers, readable.first_s, began_s)
    expected = {operation: set[int]() for operation in operations}
    for watcher in watchers:
        expected[watcher.operation] |= watcher.arrived_s.keys()
    delivered = sum(len(watcher.arrived_s) for watcher in watchers)
    wanted = sum(len(expected[watcher.operation]) for watcher in watchers)
    return [
        Figure(key=f"delivered_pct{suffix}", value=100 * delivered / wanted, unit="%", at_least=100),
        Figure(key=f"repeated{suffix}", value=sum(item.num_repeated for item in watchers), unit="events", at_most=0),
        Figure(key=f"lag_p99_ms{suffix}", value=quantile(lags, 0.99), unit="ms", at_most=250),
        Figure(key=f"lag_p50_ms{suffix}", value=quantile(lags, 0.5), unit="ms"),
        Figure(key=f"supervisor_rss_mib{suffix}", value=peak_mib, unit="MiB", at_most=150),
        Figure(key=f"events_per_s{suffix}", value=len(lags) / watch_s, unit="events/s"),
    ]


async def _watch(
    client: Client, operations: list[str], watchers: list[Watcher], watch_s: float
) -> tuple[Readable, float, float]:
    """Watch for a while beside stalled connections; return when events were readable, and the supervisor's peak."""
    health = client.health()
    path = Path(health.home) / "supervisor.sock"
    supervisor, stalled = psutil.Process(health.pid), Stalled(path, operations[0], NUM_STALLED)
    readable, asking_ended, ended = Readable(), threading.Event(), asyncio.Event()
    with contextlib.closing(stalled):
        asker = threading.Thread(target=readable.follow, args=(client, operations, asking_ended))
        asker.start()
        tasks = [asyncio.create_task(watcher.watch(path, ended)) for watcher in watchers]
        await asyncio.sleep(SETTLE_S)
        began_s, peak = time.monotonic(), 0
        while time.monotonic() < began_s + watch_s:
            peak = max(peak, supervisor.memory_info().rss)
            await asyncio.sleep(0.2)
        for operation in operations:
            await asyncio.to_thread(client.command, operation, CommandRequest(verb="stop", reason="measured enough"))
        await asyncio.sleep(SETTLE_S)
        asking_ended.set()
        ended.set()
        await asyncio.gather(*tasks)
        await asyncio.to_thread(asker.join)
    return readable, peak / 2**20, began_s
