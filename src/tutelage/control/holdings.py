"""What a run leaves behind, and its lines: artifacts, checkpoints, environment, lineage, log."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

from tutelage.control.base import Base, found
from tutelage.control.files import read_json
from tutelage.control.histories import cursor_row
from tutelage.core import wire
from tutelage.core.clock import iso
from tutelage.core.errors import NotFound
from tutelage.core.layout import OperationFiles
from tutelage.core.redaction import redact, redacted
from tutelage.store import OperationRecord

MAX_LOG_BYTES = 256_000


def artifacts(base: Base, operation_id: str) -> list[wire.Artifact]:
    """List the files an operation produced."""
    _exists(base, operation_id)
    root = base.files.operation(operation_id).artifacts
    paths = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else []
    return [
        wire.Artifact(
            name=path.relative_to(root).as_posix(),
            bytes=path.stat().st_size,
            content_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
            created_at=iso(path.stat().st_mtime),
        )
        for path in paths
    ]


def artifact(base: Base, operation_id: str, name: str) -> Path:
    """Return the path of an artifact; nothing outside the artifacts folder is ever named."""
    names = [item.name for item in artifacts(base, operation_id)]
    if name not in names:
        raise NotFound(f"there is no artifact {name!r}", hint=f"there are: {', '.join(names) or 'none yet'}")
    root = base.files.operation(operation_id).artifacts.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise NotFound(f"there is no artifact {name!r}", hint="a link that leads elsewhere is not an artifact")
    return path


def checkpoints(base: Base, operation_id: str) -> list[wire.Checkpoint]:
    """List an operation's resumable states, in order of steps."""
    return checkpoints_in(base.files.operation(operation_id), _exists(base, operation_id))


def checkpoints_in(files: OperationFiles, record: OperationRecord) -> list[wire.Checkpoint]:
    """List the resumable states in an operation's folder, or those that its host has told of, in order of steps."""
    top = (record.judgement or {}).get("best")
    listed = read_json(files.host_checkpoints)
    if listed:
        return [wire.Checkpoint.model_validate(item) for item in listed["items"]]
    root, kept = files.checkpoints, []
    for folder in root.iterdir() if root.is_dir() else ():
        manifest = read_json(folder / "manifest.json") if folder.name.isdigit() else None
        if not manifest:
            continue
        is_best = bool(top and top["step"] == manifest["step"] and top["metric"] in manifest["metrics"])
        kept.append(
            wire.Checkpoint(
                step=manifest["step"],
                created_at=iso(manifest["created_at_s"]) or "",
                bytes=sum(entry["bytes"] for entry in manifest["files"].values()),
                attempt=manifest["attempt"],
                best=is_best,
                metrics=manifest["metrics"],
            )
        )
    return sorted(kept, key=lambda item: item.step)


def environment(base: Base, operation_id: str) -> dict[str, Any]:
    """Return what the latest attempt ran on."""
    _exists(base, operation_id)
    document = read_json(base.files.operation(operation_id).environment)
    if not isinstance(document, dict):
        raise NotFound("no attempt has written its environment yet", hint="it is written when the worker starts")
    found_out: dict[str, Any] = redacted(document)
    return found_out


def lineage(base: Base, operation_id: str) -> wire.Lineage:
    """Return what an operation descends from and what descends from it."""
    with base.store.reading() as reading:
        found(reading, operation_id)
        records = {record.id: record for record in reading.operations()}
    edges = [
        wire.LineageEdge(parent=link["id"], child=record.id, kind=link["kind"], at=link.get("at"))
        for record in records.values()
        for link in record.spec.get("links", [])
    ]
    ids = _related(operation_id, edges)
    nodes = [_node(records[name]) for name in sorted(ids & set(records))]
    return wire.Lineage(id=operation_id, nodes=nodes, edges=[e for e in edges if e.child in ids and e.parent in ids])


def logs(base: Base, operation_id: str, *, since: str | None, limit: int) -> wire.LogPage:
    """Return lines of the log: the last ones, or those after a cursor, which is a byte of the file."""
    _exists(base, operation_id)
    path = base.files.operation(operation_id).log
    size = path.stat().st_size if path.exists() else 0
    begin = max(0, size - MAX_LOG_BYTES) if since is None else min(cursor_row(since), size)
    block = b""
    if size:
        with path.open("rb") as file:
            file.seek(begin)
            block = file.read(MAX_LOG_BYTES)
    if since is None:
        lines = redact(block.decode("utf-8", "replace")).splitlines()
        shown, end = lines[-limit:], begin + len(block)
        return wire.LogPage(lines=shown, next_cursor=str(end), truncated=begin > 0 or len(shown) < len(lines))
    complete = block[: block.rfind(b"\n") + 1].splitlines(keepends=True)
    page = complete[:limit]
    text = redact(b"".join(page).decode("utf-8", "replace"))
    end = begin + sum(map(len, page))
    return wire.LogPage(lines=text.splitlines(), next_cursor=str(end), truncated=len(page) < len(complete))


def _exists(base: Base, operation_id: str) -> OperationRecord:
    with base.store.reading() as reading:
        return found(reading, operation_id)


def _node(record: OperationRecord) -> wire.LineageNode:
    top = (record.judgement or {}).get("best")
    return wire.LineageNode(
        id=record.id,
        service=record.service,
        name=record.name,
        state=record.state,
        best=wire.Best.model_validate(top) if top else None,
    )


def _related(operation_id: str, edges: list[wire.LineageEdge]) -> set[str]:
    """Return everything that hangs together with an operation."""
    ids, grown = {operation_id}, True
    while grown:
        more = {end for edge in edges if edge.parent in ids or edge.child in ids for end in (edge.parent, edge.child)}
        grown = not more <= ids
        ids |= more
    return ids
