"""A new operation from a checkpoint of another one: here with the checkpoint's files, on a host with its leave."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from tutelage.control.base import Base
from tutelage.control.files import write_json
from tutelage.control.holdings import checkpoints_in
from tutelage.control.submission import accept
from tutelage.core import wire
from tutelage.core.commands import Command
from tutelage.core.errors import InvalidSpec
from tutelage.core.hosts import host_of
from tutelage.core.ids import new_operation_id
from tutelage.store import OperationRecord, Transaction, mirrors
from tutelage.store.mirrors import MirrorRecord


def branch(
    base: Base, tx: Transaction, record: OperationRecord, command: Command, *, principal: wire.Principal, at_s: float
) -> OperationRecord:
    """Store an operation that begins at one of this one's checkpoints; on a host, the host makes it when it is sent.

    Raises InvalidSpec for a checkpoint that is not kept, or settings that do not fit.
    """
    files = base.files.operation(record.id)
    step = _step(base, record, checkpoints_in(files, record), wanted=str(command.args.get("from", "last")))
    spec = _branched(record.spec, command.args.get("set") or {})
    accept({**spec, "links": []}, registry=base.registry, machine=base.machine, hosts=base.hosts)
    name = str(command.args.get("name") or f"{record.name or record.service} from {step}")[:120]
    child = OperationRecord(
        id=new_operation_id(),
        service=record.service,
        name=name,
        executor=record.executor,
        spec={**spec, "name": name, "links": [{"kind": "branch", "id": record.id, "at": step, "as": None}]},
        owner_name=principal.name,
        owner_kind=principal.kind,
        tags=record.tags,
        progress={},
        definitions={},
        checkpoint_step=step,
        created_at_s=at_s,
    )
    host = host_of(record.executor)
    if host is None:
        target = base.files.operation(child.id).checkpoints / str(step)
        shutil.copytree(files.checkpoints / str(step), target, copy_function=_link_or_copy)
    write_json(base.files.operation(child.id).spec, child.spec)
    tx.add_operation(child)
    if host is not None:
        mirrors.add(tx.connection, MirrorRecord(operation=child.id, host=host))
    return child


def _step(base: Base, record: OperationRecord, kept: Sequence[wire.Checkpoint], *, wanted: str) -> int:
    steps = [item.step for item in kept]
    listed = ", ".join(map(str, steps)) or "none"
    if not steps:
        raise InvalidSpec("branch needs a checkpoint and none is kept", hint="`tutelage checkpoint ID` makes one")
    if wanted == "last":
        return steps[-1]
    if wanted == "best":
        return _best_step(base, record, kept)
    if not wanted.isdigit() or int(wanted) not in steps:
        raise InvalidSpec(f"there is no checkpoint at {wanted!r}", hint=f"allowed: best, last, or one of {listed}")
    return int(wanted)


def _best_step(base: Base, record: OperationRecord, kept: Sequence[wire.Checkpoint]) -> int:
    top = (record.judgement or {}).get("best")
    service = base.service_of(record)
    rated = {item.step: float(item.metrics[top["metric"]]) for item in kept if top and top["metric"] in item.metrics}
    if not top or not rated or service is None:
        raise InvalidSpec("no checkpoint says how good it is", hint="use --from last, or a step")
    defined = record.definitions.get(top["metric"], {}).get("direction")
    declared = next((m.direction for m in service.metrics if m.name == top["metric"]), None)
    pick = max if (defined or declared) == "maximize" else min
    return pick(rated, key=lambda step: rated[step])


def _branched(spec: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a spec with dotted config keys set."""
    copy: dict[str, Any] = json.loads(json.dumps(spec))
    for key, value in overrides.items():
        *parents, last = key.split(".")
        node = copy.setdefault("config", {})
        for part in parents:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise InvalidSpec(f"cannot set {key!r}: {part!r} is not an object")
        node[last] = value
    return copy


def _link_or_copy(source: str, target: str) -> None:
    """Hard-link where the file system can: a checkpoint's files are never changed once written."""
    with contextlib.suppress(OSError):
        os.link(source, target)
        return
    shutil.copy2(source, target)
