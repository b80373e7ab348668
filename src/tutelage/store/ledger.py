"""The ledger: decisions and what became of them, append-only, each entry chained to the one before by SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from tutelage.store.records import LedgerEntry
from tutelage.store.schema import LEDGER

GENESIS = "0" * 64


def append(
    connection: Connection, *, operation: str, decision: str, kind: str, at_s: float, data: Mapping[str, Any]
) -> LedgerEntry:
    """Append one entry (`decision`, or an `outcome` of one) and return it with its hash."""
    newest = connection.execute(select(LEDGER.c.hash).order_by(LEDGER.c.entry.desc()).limit(1)).scalar()
    previous = newest or GENESIS
    content: dict[str, Any] = {
        "operation": operation,
        "decision": decision,
        "kind": kind,
        "at_s": at_s,
        "data": dict(data),
    }
    row = {**content, "previous_hash": previous, "hash": link_hash(previous, content)}
    entry = connection.execute(insert(LEDGER).values(row)).inserted_primary_key
    return LedgerEntry(entry=int(entry[0]) if entry else 0, **row)


def read(connection: Connection, operation: str | None = None) -> list[LedgerEntry]:
    """Return the entries of one operation, or all, oldest first."""
    query = select(LEDGER).order_by(LEDGER.c.entry)
    if operation is not None:
        query = query.where(LEDGER.c.operation == operation)
    return [LedgerEntry(**row) for row in connection.execute(query).mappings()]


def first_broken(entries: Iterable[LedgerEntry]) -> int | None:
    """Return the number of the first entry whose hash does not follow, or None where the whole chain holds."""
    previous = GENESIS
    for entry in entries:
        content = {
            "operation": entry.operation,
            "decision": entry.decision,
            "kind": entry.kind,
            "at_s": entry.at_s,
            "data": dict(entry.data),
        }
        if entry.previous_hash != previous or entry.hash != link_hash(previous, content):
            return entry.entry
        previous = entry.hash
    return None


def link_hash(previous: str, content: Mapping[str, Any]) -> str:
    """Return SHA-256 over the previous hash and the content's canonical JSON."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()
