"""Every action there is, on one home. Interfaces call this and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from tutelage import __version__
from tutelage.control import histories, holdings, inputs, removal, views
from tutelage.control.base import Base, found
from tutelage.control.commands import Commands, kept_answer
from tutelage.control.comparing import compared
from tutelage.control.files import write_json
from tutelage.control.histories import cursor_row, event_kinds
from tutelage.control.ledger import decisions
from tutelage.control.listing import Wish, listed, urgent_first
from tutelage.control.mirroring import check_host
from tutelage.control.models import Helpers
from tutelage.control.submission import HOW_TO_NAME, accept, request_hash
from tutelage.control.supervision import Supervision
from tutelage.control.tokens import Tokens
from tutelage.control.waiting import Waiting
from tutelage.core import wire
from tutelage.core.access import NewToken, Token, TokenRequest
from tutelage.core.clock import iso
from tutelage.core.errors import HostUnreachable, IllegalCommand, InvalidSpec, NotSupported, ServiceBroken, unknown
from tutelage.core.events import Draft, EventKind
from tutelage.core.hosts import host_of
from tutelage.core.ids import new_operation_id
from tutelage.core.inputs import Input
from tutelage.core.operation import QUEUED, State
from tutelage.core.redaction import redacted
from tutelage.core.service import load
from tutelage.core.spec import Resources
from tutelage.executors import HostLink
from tutelage.store import OperationRecord, mirrors
from tutelage.store.ledger import first_broken
from tutelage.store.mirrors import MirrorRecord
from tutelage.store.store import Reading

MAX_PAGE = 500
MAX_ASKED = 16
"""Hosts asked at a time."""


class ControlPlatform:
    """Platform on a home of this machine."""

    def __init__(self, base: Base, commands: Commands, supervision: Supervision, helpers: Helpers) -> None:
        self._base = base
        self._commands = commands
        self._supervision = supervision
        self._helpers = helpers
        self._began_s = time.monotonic()
        self.doorkeeper = Tokens(base)

    # Catalogue

    def services(self) -> wire.ServiceList:
        """List the services."""
        return wire.ServiceList(items=[self._service_or_why_not(name) for name in self._base.registry.names()])

    def service(self, name: str) -> wire.ServiceInfo:
        """Describe one service with its JSON schema, defaults and presets."""
        service = self._base.registry.get(name)
        return views.service_info(service, schema=load(service.config).model_json_schema(by_alias=True))

    def dry_run(self, document: Mapping[str, Any]) -> wire.DryRun:
        """Validate a document as `submit` would, and start nothing."""
        accepted = accept(document, registry=self._base.registry, machine=self._base.machine, hosts=self._base.hosts)
        return wire.DryRun(
            service=accepted.service.name,
            config=accepted.config.model_dump(mode="json", by_alias=True),
            resources=accepted.spec.resources,
        )

    def inspect(self, request: wire.InspectRequest) -> wire.Inspection:
        """Look at data in a short-lived worker."""
        service = self._base.registry.get(request.service)
        if service.inspect is None:
            raise NotSupported(f"{service.name} has no data to inspect")
        return wire.Inspection(service=service.name, data=self._helpers.inspect(service.name, request.data))

    def hosts(self) -> list[wire.HostInfo]:
        """List the machines and their slots: this one, then the hosts, all asked at once."""
        with ThreadPoolExecutor(max_workers=MAX_ASKED) as pool:
            there = list(pool.map(HostLink.info, self._base.hosts.values()))
        return [self._this_host(), *there]

    def _this_host(self) -> wire.HostInfo:
        base = self._base
        with base.store.reading() as reading:
            running = _here(reading.operations([State.RUNNING, State.PAUSING, State.STOPPING]))
            queued = _here(reading.operations(list(QUEUED)))
        free = base.machine
        for record in running:
            free = free.without(Resources.model_validate(record.spec.get("resources", {})))
        return wire.HostInfo(
            name="local",
            cpus=base.machine.cpus,
            cpus_free=free.cpus,
            gpus=base.machine.gpus,
            gpus_free=free.gpus,
            memory_gib=round(base.machine.memory_gib, 1),
            memory_free_gib=round(free.memory_gib, 1),
            running=len(running),
            queued=len(queued),
            version=__version__,
        )

    def health(self) -> wire.Health:
        """Say how the supervisor stands."""
        base = self._base
        with base.store.reading() as reading:
            counts = reading.counts()
        trouble = self._supervision.trouble
        return wire.Health(
            status="degraded" if trouble else "ok",
            version=__version__,
            pid=os.getpid(),
            home=str(base.settings.home),
            uptime_s=round(time.monotonic() - self._began_s, 1),
            live=self._supervision.num_live,
            queued=sum(counts.get(str(state), 0) for state in QUEUED),
            rss_mib=round(psutil.Process().memory_info().rss / 2**20, 1),
            detail=trouble,
        )

    # Operations

    def submit(
        self, document: Mapping[str, Any], *, principal: wire.Principal, idempotency_key: str | None = None
    ) -> wire.Operation:
        """Validate a document and queue the operation it asks for; a repeated key answers the first operation."""
        base = self._base
        accepted = accept(document, registry=base.registry, machine=base.machine, hosts=base.hosts)
        fingerprint = request_hash(document)
        host = host_of(accepted.spec.executor)
        if host is not None:
            check_host(base.hosts[host])
        with base.guard, base.store.writing() as tx:
            kept = kept_answer(tx, principal, idempotency_key, fingerprint)
            if kept is not None:
                return self._wire(tx, found(tx, kept))
            at_s = base.clock()
            record = OperationRecord(
                id=new_operation_id(),
                service=accepted.service.name,
                name=accepted.spec.name,
                executor=accepted.spec.executor,
                spec=accepted.spec.document(),
                owner_name=principal.name,
                owner_kind=principal.kind,
                tags=accepted.spec.tags,
                progress={},
                definitions={},
                created_at_s=at_s,
            )
            write_json(base.files.operation(record.id).spec, record.spec)
            tx.add_operation(record)
            if host is not None:
                mirrors.add(tx.connection, MirrorRecord(operation=record.id, host=host))
            tx.add_events(record.id, [Draft(kind=EventKind.STATE, at_s=at_s, data={"state": "pending", "from": None})])
            if idempotency_key:
                tx.keep_answer(principal.name, idempotency_key, request_hash=fingerprint, answer=record.id, at_s=at_s)
            answer = self._wire(tx, record)
        with base.guard:
            self._commands.mirroring.watch(record)
        base.hub.ring()
        self._supervision.wake()
        return answer

    def operations(
        self,
        *,
        state: str | None = None,
        service: str | None = None,
        tag: str | None = None,
        text: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
        spark: int = 0,
    ) -> wire.OperationPage:
        """List operations, those that need somebody first, then newest first."""
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidSpec(f"limit must be from 1 to {MAX_PAGE}, got {limit}")
        wanted = [_state(name) for name in state.split(",")] if state else None
        base, first = self._base, cursor_row(cursor)
        wish = Wish(service=service, tag=tag, text=text)
        with base.store.reading() as reading:
            chosen = urgent_first(reading, wanted, wish, now_s=base.clock())
            page = listed(base, reading, chosen[first : first + limit], spark=spark)
            counts = reading.counts()
        more = str(first + limit) if len(chosen) > first + limit else None
        return wire.OperationPage(items=page, next_cursor=more, counts=counts)

    def operation(self, operation_id: str, *, spark: int = 0) -> wire.Operation:
        """Return one operation."""
        with self._base.store.reading() as reading:
            return self._wire(reading, found(reading, operation_id), spark=spark)

    def update(self, operation_id: str, patch: wire.OperationPatch) -> wire.Operation:
        """Change name, notes or tags."""
        changes = patch.model_dump(exclude_none=True)
        with self._base.store.writing() as tx:
            found(tx, operation_id)
            if changes:
                tx.change_operation(operation_id, **changes)
            answer = self._wire(tx, found(tx, operation_id))
        self._base.hub.ring()
        return answer

    def delete(self, operation_id: str) -> None:
        """Remove an ended operation's files and rows; its ledger stays."""
        removal.delete(self._base, operation_id)
        self._helpers.drop(operation_id)

    def gc(self, *, older_than_s: float, dry_run: bool = False) -> wire.GcReport:
        """Remove what ended long ago, and checkpoints that nothing needs."""
        return removal.collect(self._base, older_than_s=older_than_s, dry_run=dry_run)

    # Acting

    def command(
        self,
        operation_id: str,
        request: wire.CommandRequest,
        *,
        principal: wire.Principal,
        idempotency_key: str | None = None,
    ) -> wire.Decision:
        """Record a decision and carry it out."""
        decision = self._commands.command(operation_id, request, principal=principal, idempotency_key=idempotency_key)
        self._supervision.wake()
        return decision

    def decisions(self, operation_id: str | None = None) -> list[wire.Decision]:
        """Return the ledger, oldest first, each decision with what the judged metric did after it."""
        with self._base.store.reading() as reading:
            if (
                operation_id is not None
                and reading.operation(operation_id) is None
                and not reading.ledger(operation_id)
            ):
                found(reading, operation_id)
            return [
                self._followed(reading, self._queued(reading, item)) for item in decisions(reading.ledger(operation_id))
            ]

    def verify_ledger(self) -> wire.LedgerState:
        """Check the whole chain: the number of entries, and the first that does not follow."""
        with self._base.store.reading() as reading:
            entries = reading.ledger()
        return wire.LedgerState(entries=len(entries), first_broken=first_broken(entries))

    def use(self, operation_id: str, request: wire.UseRequest) -> wire.UseAnswer:
        """Ask a finished model."""
        base = self._base
        with base.store.reading() as reading:
            record = found(reading, operation_id)
        service = base.service_of(record)
        if service is None or service.use is None:
            raise NotSupported(f"models of {record.service} cannot be used")
        if record.state is not State.COMPLETED:
            raise IllegalCommand(f"the operation is {record.state}; a model exists once it is completed")
        begun = time.perf_counter()
        answer = self._use_there(record, request)
        resources = Resources.model_validate(record.spec.get("resources", {}))
        if answer is None:
            answer = self._helpers.use(operation_id, request.data, resources=resources)
        latency_ms = round((time.perf_counter() - begun) * 1000, 2)
        with base.store.writing("NORMAL") as tx:
            data = {"latency_ms": latency_ms}
            tx.add_events(operation_id, [Draft(kind=EventKind.USED, at_s=base.clock(), data=data)])
        return wire.UseAnswer(operation=operation_id, data=answer, latency_ms=latency_ms)

    def _use_there(self, record: OperationRecord, request: wire.UseRequest) -> dict[str, Any] | None:
        """Ask the model on the host that trained it; None for one of this machine."""
        with self._base.store.reading() as reading:
            mirror = mirrors.get(reading.connection, record.id)
        if mirror is None:
            return None
        link, remote = self._link(mirror.host), str(mirror.remote)
        return dict(link.ask(lambda client: client.use(remote, request)).data)

    def _link(self, host: str) -> HostLink:
        if host not in self._base.hosts:
            raise HostUnreachable(f"host {host!r} stands in the settings no more", hint=HOW_TO_NAME)
        return self._base.hosts[host]

    def models(self) -> list[wire.ModelEntry]:
        """List the models that can be used."""
        entries = []
        with self._base.store.reading() as reading:
            for record in reading.operations([State.COMPLETED]):
                service = self._base.service_of(record)
                if service is None or service.use is None:
                    continue
                top = (record.judgement or {}).get("best")
                path = self._base.files.operation(record.id).root / str((record.result or {}).get("modelPath", ""))
                entries.append(
                    wire.ModelEntry(
                        operation=record.id,
                        service=record.service,
                        name=record.name,
                        ended_at=iso(record.ended_at_s),
                        best=wire.Best.model_validate(top) if top else None,
                        bytes=path.stat().st_size if path.is_file() else None,
                    )
                )
        return entries

    # Watching

    def metrics(
        self,
        operation_id: str,
        *,
        scope: str = "",
        keys: tuple[str, ...] = (),
        from_step: int | None = None,
        to_step: int | None = None,
        points: int = 1000,
        since: str | None = None,
        all_attempts: bool = False,
    ) -> wire.MetricHistory:
        """Return curves, down-sampled to about `points` rows."""
        return histories.history(
            self._base,
            operation_id,
            scope=scope,
            keys=keys,
            from_step=from_step,
            to_step=to_step,
            points=points,
            since=since,
            all_attempts=all_attempts,
        )

    def events(
        self, operation_id: str, *, since: str | None = None, limit: int = 1000, kinds: tuple[str, ...] = ()
    ) -> wire.EventPage:
        """Return events after a cursor, of all kinds or only of some."""
        if not 1 <= limit <= 10_000:
            raise InvalidSpec(f"limit must be from 1 to 10,000, got {limit}")
        after, chosen = cursor_row(since), event_kinds(kinds)
        with self._base.store.reading() as reading:
            found(reading, operation_id)
            stored = reading.events(operation_id, after=after, limit=limit, kinds=chosen)
        return wire.EventPage(
            items=[views.event(item) for item in stored],
            next_cursor=str(stored[-1].row if stored else after),
            truncated=len(stored) == limit,
        )

    def newest_cursor(self) -> str:
        """Return the cursor of the newest event of all operations."""
        with self._base.store.reading() as reading:
            return str(reading.last_row())

    def wait(self, operation_id: str, *, until: str = "terminal", timeout_s: float = 60.0) -> wire.WaitResult:
        """Return when something happened or the time is over."""
        hub, waiting = self._base.hub, self.waiting(operation_id, until=until, timeout_s=timeout_s)
        while True:
            seen = hub.version
            if (reached := waiting.reached()) is not None:
                return wire.WaitResult(reached=reached, until=until, operation=self.operation(operation_id))
            hub.wait(seen, min(waiting.left_s, 5.0))

    def waiting(self, operation_id: str, *, until: str, timeout_s: float) -> Waiting:
        """Return a wait that the caller asks again after each change."""
        return Waiting(self._base, operation_id, until=until, timeout_s=timeout_s)

    def logs(self, operation_id: str, *, since: str | None = None, limit: int = 200) -> wire.LogPage:
        """Return lines of the log: the last ones, or those after a cursor."""
        return holdings.logs(self._base, operation_id, since=since, limit=limit)

    def compare(self, operation_ids: tuple[str, ...]) -> wire.Comparison:
        """Put operations side by side."""
        return compared(self._base, operation_ids)

    # Holdings

    def artifacts(self, operation_id: str) -> list[wire.Artifact]:
        """List the files it produced."""
        return holdings.artifacts(self._base, operation_id)

    def artifact(self, operation_id: str, name: str) -> Path:
        """Return the path of one of them; nothing outside the artifacts folder is ever named."""
        return holdings.artifact(self._base, operation_id, name)

    def checkpoints(self, operation_id: str) -> list[wire.Checkpoint]:
        """List its resumable states."""
        return holdings.checkpoints(self._base, operation_id)

    def environment(self, operation_id: str) -> dict[str, Any]:
        """Return what its latest attempt ran on: packages, git, machine."""
        return holdings.environment(self._base, operation_id)

    def spec(self, operation_id: str) -> dict[str, Any]:
        """Return the spec as it was accepted."""
        with self._base.store.reading() as reading:
            return dict(redacted(found(reading, operation_id).spec))

    def lineage(self, operation_id: str) -> wire.Lineage:
        """Return ancestors and descendants."""
        return holdings.lineage(self._base, operation_id)

    # Entrance

    def create_token(self, request: TokenRequest) -> NewToken:
        """Make a token for TCP; the answer is the only place that ever holds its secret."""
        return self.doorkeeper.create(request)

    def tokens(self) -> list[Token]:
        """List the tokens, without their secrets."""
        return self.doorkeeper.listed()

    def revoke_token(self, name: str) -> Token:
        """End a token, by its id or by its name."""
        return self.doorkeeper.revoke(name)

    def put_input(self, sha256: str, *, name: str, chunks: Iterable[bytes]) -> Input:
        """Keep a file under the hash of its content; a spec may then name its path."""
        return inputs.put(self._base, sha256, name=name, chunks=chunks)

    def input(self, sha256: str, *, name: str | None = None) -> Input:
        """Return the file that was sent under a hash."""
        return inputs.get(self._base, sha256, name=name)

    def is_idle(self) -> bool:
        """Tell whether nothing is live, pending, watched or outstanding."""
        with self._base.store.reading() as reading:
            queued = reading.operations(list(QUEUED))
            asked = [record for record in reading.operations([State.PAUSED]) if record.waiting_for]
        busy = (
            self._supervision.num_live
            or self._supervision.exports.is_outstanding
            or queued
            or asked
            or self._base.hub.num_watchers
        )
        outstanding = any(is_busy() for is_busy in self._base.outstanding)
        return not (busy or outstanding or self._helpers.drop_idle())

    def _service_or_why_not(self, name: str) -> wire.ServiceInfo:
        try:
            return views.service_info(self._base.registry.get(name))
        except ServiceBroken as error:
            return views.broken_service(name, error.message)

    def _wire(self, reading: Reading, record: OperationRecord, *, spark: int = 0) -> wire.Operation:
        base = self._base
        return views.operation(reading, record, base.service_of(record), now_s=base.clock(), spark=spark)

    def _queued(self, reading: Reading, decision: wire.Decision) -> wire.Decision:
        """Say of a command that its host has not been given yet that it waits."""
        mirror = mirrors.get(reading.connection, decision.operation) if decision.status == "accepted" else None
        if mirror is None or decision.id in mirror.decisions:
            return decision
        return decision.model_copy(update={"detail": f"queued: waits for host {mirror.host!r}"})

    def _followed(self, reading: Reading, decision: wire.Decision) -> wire.Decision:
        """Add what the metric that counts did after the decision took effect."""
        record = reading.operation(decision.operation)
        top = (record.judgement or {}).get("best") if record else None
        if record is None or top is None or decision.at_step is None:
            return decision
        shown = histories.history(self._base, record.id, keys=(top["metric"],), points=1000)
        points = [(s, v) for s, v in zip(shown.steps, shown.values[top["metric"]], strict=True) if v is not None]
        before = [value for step, value in points if step <= decision.at_step]
        after = [value for step, value in points if step > decision.at_step]
        followed = wire.Followed(
            metric=top["metric"],
            before=before[-1] if before else None,
            after=after[-1] if after else None,
            evaluations=len(after),
        )
        return decision.model_copy(update={"followed": followed})


def _here(records: list[OperationRecord]) -> list[OperationRecord]:
    """Leave out what runs on a host: it takes no slot of this machine."""
    return [record for record in records if host_of(record.executor) is None]


def _state(name: str) -> State:
    if name not in list(State):
        raise unknown("state", name, [str(state) for state in State])
    return State(name)
