"""Removal: of one ended operation, and of what nobody needs any more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tutelage.control import inputs
from tutelage.control.base import Base, found
from tutelage.core.errors import IllegalCommand
from tutelage.core.ids import is_operation_id
from tutelage.core.operation import ENDED, State
from tutelage.core.wire import GcReport

KEYS_KEPT_S = 7 * 24 * 3600.0


def delete(base: Base, operation_id: str) -> None:
    """Remove an ended operation: its rows first, then its folder; the ledger stays."""
    with base.guard, base.store.writing() as tx:
        record = found(tx, operation_id)
        if record.state not in ENDED:
            raise IllegalCommand(
                f"the operation is {record.state}; only an ended one can be removed",
                hint=f"`tutelage cancel {operation_id} --reason ...` first",
            )
        tx.remove_operation(operation_id)
    shutil.rmtree(base.files.operation(operation_id).root, ignore_errors=True)
    base.hub.ring()


def collect(base: Base, *, older_than_s: float, dry_run: bool) -> GcReport:
    """Remove operations that ended long ago, folders without an operation, and checkpoints of completed runs.

    An operation that another one was branched from stays while that one does.
    """
    limit_s = base.clock() - older_than_s
    with base.guard:
        with base.store.reading() as reading:
            records = reading.operations()
        needed = {link["id"] for record in records for link in record.spec.get("links", [])}
        old = [
            record.id
            for record in records
            if record.state in ENDED and (record.ended_at_s or 0) < limit_s and record.id not in needed
        ]
        finished = {
            record.id for record in records if record.state is State.COMPLETED and (record.ended_at_s or 0) < limit_s
        }
        folders = _orphans(base, {record.id for record in records}) + [base.files.operation(item).root for item in old]
        kept = json.dumps([record.spec for record in records if record.id not in set(old)])
        folders += inputs.unused(base, kept, before_s=limit_s)
        spare = [
            folder
            for item in sorted(finished - set(old))
            if (folder := base.files.operation(item).checkpoints).is_dir()
        ]
        report = GcReport(
            operations=old,
            checkpoints=sum(1 for folder in spare for item in folder.iterdir() if item.is_dir()),
            bytes=sum(map(size_of, [*folders, *spare])),
            dry_run=dry_run,
        )
        if not dry_run:
            _remove(base, old, [*folders, *spare])
    return report


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _remove(base: Base, operations: list[str], folders: list[Path]) -> None:
    with base.store.writing() as tx:
        for operation_id in operations:
            tx.remove_operation(operation_id)
        tx.forget_answers(before_s=base.clock() - KEYS_KEPT_S)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    base.hub.ring()


def _orphans(base: Base, known: set[str]) -> list[Path]:
    """Return folders of submissions that were never acknowledged."""
    root = base.files.operations
    return (
        [item for item in root.iterdir() if is_operation_id(item.name) and item.name not in known]
        if root.is_dir()
        else []
    )
