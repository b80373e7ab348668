"""Prints a run's losses as they come: `python training_monitor.py OPERATION_ID`, for a run here or at TUTELAGE_URL."""

from __future__ import annotations

import sys

from tutelage.client import Client, connect, find_operation

WAITING, DONE = "\N{HOURGLASS WITH FLOWING SAND}", "\N{HEAVY CHECK MARK}"


def line(unit: str, step: int, values: dict[str, float]) -> str:
    """Return a step as a line: `✔ Epoch 0: train_loss=0.8234, val_loss=0.8912`."""
    numbers = ", ".join(f"{name}={float(value):.4f}" for name, value in values.items())
    return f"{DONE} {unit.capitalize()} {step}: {numbers}"


def watch(client: Client, operation_id: str) -> None:
    """Print every step of the operation's own scope until it has ended."""
    operation = client.operation(operation_id)
    unit, current, values = operation.metrics.unit, None, {}
    if not operation.metrics.latest:
        say(f"{WAITING} No metrics yet")
    for event in client.stream(operation_id):
        if event.kind != "metric" or event.scope or event.step is None:
            continue
        if event.step != current and values:
            say(line(unit, current, values))
            values = {}
        current = event.step
        values.update(event.data.get("values", {}))
    if values:
        say(line(unit, current, values))
    ended = client.operation(operation_id)
    say(f"{ended.state}: {ended.assessment.sentence if ended.assessment else 'no verdict'}")


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python training_monitor.py OPERATION_ID (or `last`)")
    with connect() as found:
        watch(found, find_operation(found, sys.argv[1]))
