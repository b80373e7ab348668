"""The store: short transactions over operations, attempts, events, metrics, the ledger and idempotency keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from tutelage.core.events import Draft, Event, EventKind
from tutelage.core.operation import State
from tutelage.store import curves, ledger
from tutelage.store.database import Database, Durability
from tutelage.store.migrate import upgrade
from tutelage.store.records import AttemptRecord, LedgerEntry, OperationRecord, Point, SeriesRecord
from tutelage.store.schema import ATTEMPTS, EVENTS, IDEMPOTENCY, MIRRORS, OPERATIONS, SERIES
from tutelage.store.summaries import Summary, read_summaries

INSERT_EVENT = (
    "INSERT INTO events(operation, seq, kind, attempt, offset, at_s, scope, step, data) VALUES(?,?,?,?,?,?,?,?,?)"
)
ENCODER = json.JSONEncoder(separators=(",", ":"))
"""Made once: `json.dumps` with separators makes one for each event."""


class Store:
    """Opens transactions on the one database of a home."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        upgrade(path)
        path.chmod(0o600)
        self._database = Database(path)
        self._curves: curves.CurveCache = {}
        self._next_seq: dict[str, int] = {}

    @contextmanager
    def writing(self, durability: Durability = "FULL") -> Iterator[Transaction]:
        """Open the one writing transaction: all of it is kept, or nothing."""
        with self._database.writing(durability) as connection:
            try:
                yield Transaction(connection, self._curves, self._next_seq)
            except BaseException:
                self._forget()
                raise

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Open a short snapshot to read from."""
        with self._database.reading() as connection:
            yield Reading(connection)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _forget(self) -> None:
        self._curves.clear()
        self._next_seq.clear()


class Reading:
    """Everything that can be read inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def operation(self, operation_id: str) -> OperationRecord | None:
        """Return one operation, or None."""
        row = self.connection.execute(select(OPERATIONS).where(OPERATIONS.c.id == operation_id)).mappings().first()
        return _operation(row) if row else None

    def operations(self, states: Sequence[State] | None = None) -> list[OperationRecord]:
        """Return the operations in some states, or all, newest first."""
        query = select(OPERATIONS).order_by(OPERATIONS.c.id.desc())
        if states is not None:
            query = query.where(OPERATIONS.c.state.in_([str(state) for state in states]))
        return [_operation(row) for row in self.connection.execute(query).mappings()]

    def operation_ids(self, states: Sequence[State] | None = None) -> list[str]:
        """Return the ids of the operations in some states, or of all, newest first."""
        query = select(OPERATIONS.c.id).order_by(OPERATIONS.c.id.desc())
        if states is not None:
            query = query.where(OPERATIONS.c.state.in_([str(state) for state in states]))
        return list(self.connection.execute(query).scalars())

    def operations_of(self, operation_ids: Sequence[str]) -> list[OperationRecord]:
        """Return operations by their ids, in the order given; an id that is none is left out."""
        query = select(OPERATIONS).where(OPERATIONS.c.id.in_(operation_ids))
        found = {row["id"]: _operation(row) for row in self.connection.execute(query).mappings()}
        return [found[each] for each in operation_ids if each in found]

    def summaries(self, operation_ids: Sequence[str]) -> dict[str, Summary]:
        """Return the curves of each operation at a glance."""
        return read_summaries(self.connection, operation_ids)

    def counts(self) -> dict[str, int]:
        """Return the number of operations in each state."""
        query = select(OPERATIONS.c.state, func.count()).group_by(OPERATIONS.c.state)
        return {row[0]: row[1] for row in self.connection.execute(query)}

    def attempts(self, operation_id: str) -> list[AttemptRecord]:
        """Return an operation's attempts, oldest first."""
        query = select(ATTEMPTS).where(ATTEMPTS.c.operation == operation_id).order_by(ATTEMPTS.c.attempt)
        return [AttemptRecord(**row) for row in self.connection.execute(query).mappings()]

    def events(
        self, operation_id: str | None, *, after: int = 0, limit: int = 1000, kinds: Sequence[EventKind] = ()
    ) -> list[Event]:
        """Return events after a row, of one operation or all."""
        query = select(EVENTS).where(EVENTS.c.row > after).order_by(EVENTS.c.row).limit(limit)
        if operation_id is not None:
            query = query.where(EVENTS.c.operation == operation_id)
        if kinds:
            query = query.where(EVENTS.c.kind.in_([str(kind) for kind in kinds]))
        return [_event(row) for row in self.connection.execute(query).mappings()]

    def last_row(self) -> int:
        """Return the cursor of the newest event of all."""
        return int(self.connection.execute(select(func.max(EVENTS.c.row))).scalar() or 0)

    def series(self, operation_id: str, *, scope: str | None = None, metrics: Sequence[str] = ()) -> list[SeriesRecord]:
        """Return the summaries of an operation's curves."""
        return curves.read_series(self.connection, operation_id, scope=scope, metrics=metrics)

    def scopes(self, operation_id: str) -> list[str]:
        """Return the scopes that have metrics, in order of appearance."""
        query = (
            select(SERIES.c.scope)
            .where(SERIES.c.operation == operation_id)
            .group_by(SERIES.c.scope)
            .order_by(func.min(SERIES.c.id))
        )
        return [scope for (scope,) in self.connection.execute(query)]

    def metric_times(self, operation_id: str, *, scope: str) -> dict[int, float]:
        """Return step -> when a scope's metrics were reported there, the newest time of each step."""
        query = (
            select(EVENTS.c.step, func.max(EVENTS.c.at_s))
            .where(EVENTS.c.operation == operation_id, EVENTS.c.kind == str(EventKind.METRIC))
            .where(EVENTS.c.scope == scope, EVENTS.c.step.is_not(None))
            .group_by(EVENTS.c.step)
        )
        return {row[0]: row[1] for row in self.connection.execute(query)}

    def ledger(self, operation_id: str | None = None) -> list[LedgerEntry]:
        """Return the ledger's entries, oldest first."""
        return ledger.read(self.connection, operation_id)

    def idempotent_answer(self, principal: str, key: str) -> tuple[str, str] | None:
        """Return (request hash, answer) kept under a key, or None."""
        query = select(IDEMPOTENCY.c.request_hash, IDEMPOTENCY.c.answer).where(
            IDEMPOTENCY.c.principal == principal, IDEMPOTENCY.c.key == key
        )
        row = self.connection.execute(query).first()
        return (row[0], row[1]) if row else None


class Transaction(Reading):
    """Everything that can be written, and read, inside one transaction."""

    def __init__(self, connection: Connection, cache: curves.CurveCache, next_seq: dict[str, int]) -> None:
        super().__init__(connection)
        self._curves = curves.CurveWriter(connection, cache)
        self._cache = cache
        self._next_seq = next_seq

    def add_operation(self, record: OperationRecord) -> None:
        """Store a new operation."""
        self.connection.execute(insert(OPERATIONS).values(asdict(record)))

    def change_operation(self, operation_id: str, **values: Any) -> None:
        """Change columns of an operation."""
        self.connection.execute(update(OPERATIONS).where(OPERATIONS.c.id == operation_id).values(**values))

    def remove_operation(self, operation_id: str) -> None:
        """Remove an operation's rows; its ledger stays."""
        for name in ("points", "buckets"):
            self.connection.exec_driver_sql(
                f"DELETE FROM {name} WHERE series IN (SELECT id FROM series WHERE operation=?)", (operation_id,)
            )
        for table in (SERIES, EVENTS, ATTEMPTS, MIRRORS):
            self.connection.execute(delete(table).where(table.c.operation == operation_id))
        self.connection.execute(delete(OPERATIONS).where(OPERATIONS.c.id == operation_id))
        for key in [key for key in self._cache if key[0] == operation_id]:
            del self._cache[key]
        self._next_seq.pop(operation_id, None)

    def add_attempt(self, record: AttemptRecord) -> None:
        """Store the beginning of an attempt."""
        self.connection.execute(insert(ATTEMPTS).values(asdict(record)))

    def change_attempt(self, operation_id: str, attempt: int, **values: Any) -> None:
        """Change columns of an attempt."""
        where = (ATTEMPTS.c.operation == operation_id) & (ATTEMPTS.c.attempt == attempt)
        self.connection.execute(update(ATTEMPTS).where(where).values(**values))

    def add_events(self, operation_id: str, drafts: Sequence[Draft]) -> None:
        """Store events in order; each gets the next number of its operation."""
        seq = self._seq(operation_id)
        rows = [
            (
                operation_id,
                seq + index,
                str(draft.kind),
                draft.attempt,
                draft.offset,
                draft.at_s,
                draft.scope,
                draft.step,
                ENCODER.encode(draft.data),
            )
            for index, draft in enumerate(drafts)
        ]
        if rows:
            self.connection.exec_driver_sql(INSERT_EVENT, rows)
            self._next_seq[operation_id] = seq + len(rows)

    def add_points(self, operation_id: str, points: Sequence[Point]) -> None:
        """Store metrics of one operation."""
        self._curves.add(operation_id, points)

    def append_ledger(
        self, *, operation: str, decision: str, kind: str, at_s: float, data: Mapping[str, Any]
    ) -> LedgerEntry:
        """Append an entry to the ledger."""
        return ledger.append(self.connection, operation=operation, decision=decision, kind=kind, at_s=at_s, data=data)

    def keep_answer(self, principal: str, key: str, *, request_hash: str, answer: str, at_s: float) -> None:
        """Keep the answer to a request under its idempotency key."""
        row = {"principal": principal, "key": key, "request_hash": request_hash, "answer": answer, "at_s": at_s}
        self.connection.execute(insert(IDEMPOTENCY).values(row))

    def forget_answers(self, *, before_s: float) -> None:
        """Drop idempotency keys that are older than anyone retries."""
        self.connection.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.at_s < before_s))

    def _seq(self, operation_id: str) -> int:
        if operation_id not in self._next_seq:
            newest = self.connection.execute(
                select(func.max(EVENTS.c.seq)).where(EVENTS.c.operation == operation_id)
            ).scalar()
            self._next_seq[operation_id] = (newest or 0) + 1
        return self._next_seq[operation_id]


def _operation(row: Mapping[Any, Any]) -> OperationRecord:
    values = dict(row)
    return OperationRecord(
        **{
            **values,
            "state": State(values["state"]),
            "judged": _judged(values["judged"]),
            "stopped_early": bool(values["stopped_early"]),
        }
    )


def _judged(stored: Any) -> dict[str, int | None]:
    """Return scope -> last step; rows of before the last step was told hold a list of scopes."""
    return dict(stored) if isinstance(stored, Mapping) else dict.fromkeys(stored)


def _event(row: Mapping[Any, Any]) -> Event:
    return Event(
        row=row["row"],
        seq=row["seq"],
        operation=row["operation"],
        kind=EventKind(row["kind"]),
        at_s=row["at_s"],
        data=json.loads(row["data"]),
        scope=row["scope"],
        step=row["step"],
        attempt=row["attempt"],
    )
