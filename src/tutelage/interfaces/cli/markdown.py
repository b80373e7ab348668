"""The ledger as a Markdown document: who decided what and why, on what evidence, when it took effect, what followed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tutelage.core import wire
from tutelage.interfaces.cli import words

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def ledger(entries: Sequence[wire.Decision]) -> Iterator[str]:
    """Yield the lines of the document."""
    yield "# Decisions"
    if not entries:
        yield from ("", "None yet.")
    for entry in entries:
        who = f"{plain(entry.principal.name)} ({entry.principal.kind})"
        yield from ("", f"## {entry.at} {entry.verb} by {who}", "")
        yield from (f"- {label}: {text}" for label, text in _facts(entry) if text)


def plain(text: str) -> str:
    """Return a text on one line, in which nothing is Markdown."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _facts(entry: wire.Decision) -> Iterator[tuple[str, str]]:
    yield "operation", f"`{entry.operation}`"
    yield "arguments", ", ".join(f"{plain(key)} = {plain(str(value))}" for key, value in entry.args.items())
    yield "reason", plain(entry.reason)
    yield "verdict then", plain(entry.verdict or "").replace("\\_", " ")
    yield "evidence", "; ".join(map(_evidence, entry.evidence))
    yield "status", f"{entry.status}{f': {plain(entry.detail)}' if entry.detail else ''}"
    yield "took effect", f"at step {entry.at_step:,}" if entry.at_step is not None else ""
    yield "made", f"`{entry.created}`" if entry.created else ""
    yield "what followed", _followed(entry.followed)
    yield "hash", f"`{entry.hash}` after `{entry.previous_hash}`"


def _evidence(item: wire.Evidence) -> str:
    at = f" at step {item.at_step:,}" if item.at_step is not None else ""
    return f"{plain(item.label)} {words.number(item.value)} {plain(item.unit)}".rstrip() + at


def _followed(followed: wire.Followed | None) -> str:
    if followed is None:
        return ""
    if followed.after is None:
        return f"{plain(followed.metric)} was not evaluated after it"
    before = words.number(followed.before) if followed.before is not None else "none"
    counted = words.plural(followed.evaluations, "evaluation")
    return f"{plain(followed.metric)} from {before} to {words.number(followed.after)} in {counted}"
