"""Reads naga's report, a picture for terminals, into messages with line and column."""

from __future__ import annotations

import re

from tutelage.services.codegen.oracle.verdict import Message

PLACE = re.compile(r"┌─ [^\n]*?:(\d+):(\d+)")
TITLE = re.compile(r"Shader '[^']*' parsing error: |Shader validation error: |Validation Error")
NOTE = re.compile(r"^\s*= (.+)$", re.MULTILINE)


def messages_of(report: str) -> tuple[Message, ...]:
    """Return the one error that naga reports, with its notes in the same text."""
    place = PLACE.search(report)
    head = report[: place.start()] if place else report
    title = _last_line(TITLE.sub("", head)) or "naga refuses the shader without saying why"
    notes = [note.strip() for note in NOTE.findall(report)]
    text = ": ".join([title, *notes])
    if place is None:
        return (Message(text=text),)
    return (Message(text=text, line=int(place.group(1)), column=int(place.group(2))),)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
