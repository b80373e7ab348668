"""The live display of one operation, and its plain form for files and pipes."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from tutelage.client import Client
from tutelage.core import wire
from tutelage.core.errors import TutelageError
from tutelage.core.events import EventKind
from tutelage.core.operation import ENDED
from tutelage.interfaces.cli import show, terminal, words

LOOK_S = 0.25
REFRESH_S = 2.0
SPARK_POINTS = 240
LOG_LINES = 5
METRIC_LINE_S = 1.0

Batch = list[wire.Event]


class Feed:
    """Reads the stream in a thread of its own, so that the display can move between two events."""

    def __init__(self, client: Client, operation_id: str) -> None:
        self._client, self._id = client, operation_id
        self._queue: queue.Queue[wire.Event | TutelageError | None] = queue.Queue()

    def batches(self) -> Iterator[Batch]:
        """Yield what has come since the last look, several times a second, until the stream ends."""
        threading.Thread(target=self._read, name="event-feed", daemon=True).start()
        while True:
            batch: Batch = []
            over = self._drain(batch)
            yield batch
            if over:
                return

    def _read(self) -> None:
        try:
            for event in self._client.stream(self._id):
                self._queue.put(event)
            self._queue.put(None)
        except TutelageError as error:
            self._queue.put(error)

    def _drain(self, batch: Batch) -> bool:
        """Fill `batch` for at most one look's time; tell whether the stream is over."""
        deadline = time.monotonic() + LOOK_S
        while (left := deadline - time.monotonic()) > 0:
            try:
                item = self._queue.get(timeout=left)
            except queue.Empty:
                return False
            if isinstance(item, TutelageError):
                raise item
            if item is None:
                return True
            batch.append(item)
        return False


class Screen:
    """What the live display shows."""

    def __init__(self, client: Client, operation_id: str) -> None:
        self._client = client
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._looked_s = 0.0
        self.operation = client.operation(operation_id, spark=SPARK_POINTS)

    def take(self, batch: Batch) -> None:
        """Note what came, and look at the operation again if something did or some time has passed."""
        for event in batch:
            if event.kind is EventKind.LOG:
                self._log.append(str(event.data.get("text", "")))
        if batch or time.monotonic() - self._looked_s > REFRESH_S:
            self._looked_s = time.monotonic()
            self.operation = self._client.operation(self.operation.id, spark=SPARK_POINTS)

    def draw(self, width: int) -> RenderableType:
        """Return the display at the terminal's width."""
        parts: list[RenderableType] = list(show.lines(self.operation, width=width))
        if self._log:
            parts.append(Text(""))
            parts += [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in self._log]
        hint = "Ctrl-C stops watching; the run goes on."
        return Group(*parts, Text(""), Text(hint, style="dim", no_wrap=True, overflow="ellipsis"))


def live(client: Client, operation_id: str) -> wire.Operation:
    """Show the operation on a terminal until it has ended."""
    console = terminal.out()
    screen = Screen(client, operation_id)
    with Live(screen.draw(console.width), console=console, auto_refresh=False, transient=True) as display:
        for batch in Feed(client, operation_id).batches():
            screen.take(batch)
            display.update(screen.draw(console.width), refresh=True)
    return client.operation(operation_id, spark=SPARK_POINTS)


def plain(client: Client, operation_id: str) -> wire.Operation:
    """Print one line for each change until the operation has ended; metrics at most one a second."""
    last_metric_s = 0.0
    for event in client.stream(operation_id):
        if event.kind is EventKind.METRIC:
            at_s = words.moment(event.at).timestamp()
            if event.scope or not event.data.get("values") or at_s - last_metric_s < METRIC_LINE_S:
                continue
            last_metric_s = at_s
        text = sentence(event)
        if text:
            print(f"{words.clock(event.at)}  {text}", flush=True)
    return client.operation(operation_id, spark=SPARK_POINTS)


def heartbeats(client: Client, operation_id: str) -> Iterator[None]:
    """Yield several times a second while events come, and once more after the end."""
    due = True
    for batch in Feed(client, operation_id).batches():
        if batch or due:
            yield
        due = bool(batch)
    yield


def sentence(event: wire.Event) -> str:
    """Return an event as a line; empty for those that say nothing to a reader of lines."""
    data = event.data
    if event.kind is EventKind.STATE and "state" in data:
        why = f": {data['why']}" if data.get("why") else ""
        return f"{data['state']}{why}"
    if event.kind is EventKind.METRIC:
        return f"step {event.step:,}  {_values(data)}" if event.step is not None else _values(data)
    if event.kind is EventKind.COMMAND:
        who = data.get("principal")
        name = who.get("name") if isinstance(who, dict) else ""
        return f"{data.get('verb')} asked by {name}: {data.get('reason') or 'no reason given'}"
    known = {
        EventKind.PHASE: f"phase: {data.get('phase')}",
        EventKind.LOG: str(data.get("text", "")),
        EventKind.VERDICT: f"{data.get('verdict')}: {data.get('sentence')}",
        EventKind.APPLIED: _applied(event),
        EventKind.ERROR: f"error: {data.get('message')}",
        EventKind.RESULT: "result written",
    }
    return known.get(event.kind, "")


def _applied(event: wire.Event) -> str:
    """Return what became of a command: when it took effect and how, or why it was refused."""
    verb, detail = event.data.get("verb", "command"), event.data.get("detail")
    if event.data.get("status") == "refused":
        return f"{verb} refused: {detail}"
    at = "" if event.step is None else f" at step {event.step:,}"
    return f"{verb} took effect{at}" + (f": {detail}" if detail else "")


def show_ending(client: Client, operation: wire.Operation, *, data: str) -> None:
    """Print how it ended: verdict, result, files, what to do next."""
    terminal.say(*show.lines(operation, width=terminal.out().width))
    if operation.state in ENDED:
        terminal.say(*show.ending(operation, client.artifacts(operation.id), data=data))


def _values(data: Mapping[str, object]) -> str:
    values = data.get("values")
    if not isinstance(values, dict):
        return ""
    shown = {name: value if isinstance(value, int | float) else float(str(value)) for name, value in values.items()}
    return "  ".join(f"{name} {words.number(value)}" for name, value in shown.items())
