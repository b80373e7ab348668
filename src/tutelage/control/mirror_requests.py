"""How an operation gets to its host: as a spec, or as a branch of an operation that the host has already."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tutelage.client.uploads import with_uploads
from tutelage.control.base import Base
from tutelage.control.files import read_json, write_json
from tutelage.control.ledger import decisions
from tutelage.core import wire
from tutelage.core.commands import Verb
from tutelage.core.errors import HostLost
from tutelage.core.operation import State
from tutelage.core.spec import Spec
from tutelage.executors import HostLink
from tutelage.store import OperationRecord, mirrors


def send(base: Base, link: HostLink, record: OperationRecord) -> bool:
    """Have the host take an operation; a repeated request is the same one. Tell whether it was sent.

    Raises HostUnreachable where it may be tried again, else what the host refuses it with.
    """
    parent = parent_of(record)
    document = _request(base, link, record, parent)
    if document is None:
        return False
    if parent is None:
        taken = link.ask(lambda client: client.submit(document, idempotency_key=record.id))
        with base.guard, base.store.writing() as tx:
            mirrors.change(tx.connection, record.id, remote=taken.id)
    else:
        _branch(base, link, record, document, parent)
    return True


def parent_of(record: OperationRecord) -> str | None:
    """Return the operation that this one was branched from."""
    return next((link["id"] for link in record.spec.get("links", []) if link["kind"] == "branch"), None)


def _request(base: Base, link: HostLink, record: OperationRecord, parent: str | None) -> dict[str, Any] | None:
    """Return what the host is asked, the same at every try; None for what was cancelled before anything was sent."""
    path = base.files.operation(record.id).host_request
    kept: dict[str, Any] | None = read_json(path)
    if kept is not None:
        return kept
    document = link.prepare(_spec_of(record)) if parent is None else _branch_request(base, link, record, parent)
    with base.guard, base.store.reading() as reading:
        now = reading.operation(record.id)
        if now is None or now.state is not State.PENDING:
            return None
        write_json(path, document)
    return document


def _spec_of(record: OperationRecord) -> dict[str, object]:
    spec = Spec.model_validate(json.loads(json.dumps(dict(record.spec))))
    return spec.model_copy(update={"executor": "local", "name": record.name}).document()


def _branch_request(base: Base, link: HostLink, record: OperationRecord, parent: str) -> dict[str, Any]:
    """Return the command that makes the operation there, from the decision that made it here."""
    with base.store.reading() as reading:
        decision = next(item for item in decisions(reading.ledger(parent)) if item.created == record.id)
    changes = {"config": decision.args.get("set") or {}}
    sent = link.ask(lambda client: with_uploads(client, changes))["config"]
    args = {"from": record.checkpoint_step, "set": sent, "name": record.name}
    return {"decision": decision.id, "args": args, "reason": decision.reason}


def _branch(base: Base, link: HostLink, record: OperationRecord, document: Mapping[str, Any], parent: str) -> None:
    """Have the host branch its own operation; its decision stands for the one that was taken here."""
    with base.store.reading() as reading:
        theirs = mirrors.get(reading.connection, parent)
    if theirs is None or theirs.remote is None:
        raise HostLost(f"host {link.name!r} does not have {parent}", hint="submit the spec again")
    remote, decision = theirs.remote, str(document["decision"])
    request = wire.CommandRequest(verb=Verb.BRANCH, args=document["args"], reason=document["reason"])
    told = link.ask(lambda client: client.command(remote, request, idempotency_key=record.id))
    with base.guard, base.store.writing() as tx:
        mirrors.change(tx.connection, record.id, remote=told.created)
        known = mirrors.get(tx.connection, parent)
        if known is not None:
            mirrors.change(tx.connection, parent, decisions={**known.decisions, decision: told.id})
