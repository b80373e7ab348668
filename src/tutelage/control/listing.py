"""Lists of operations: those that need somebody first, then newest first; only what a page shows is read in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tutelage.control import views
from tutelage.control.base import Base
from tutelage.core import wire
from tutelage.core.operation import LIVE, State
from tutelage.store import OperationRecord
from tutelage.store.store import Reading

MAY_NEED = frozenset({*LIVE, State.PAUSED, State.FAILED, State.INTERRUPTED})
"""States in which an operation may need somebody: in a home of thousands, the few that are not over and done with."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the operations of a list have in common; None for anything."""

    service: str | None = None
    tag: str | None = None
    text: str | None = None

    def __bool__(self) -> bool:
        return any((self.service, self.tag, self.text))

    def is_met_by(self, record: OperationRecord) -> bool:
        """Tell whether an operation belongs to the list."""
        key, _, value = (self.tag or "").partition("=")
        return (
            (not self.service or record.service == self.service)
            and (not self.tag or (key in record.tags and (not value or record.tags[key] == value)))
            and (not self.text or self.text.lower() in f"{record.id} {record.name} {record.notes}".lower())
        )


def urgent_first(reading: Reading, states: Sequence[State] | None, wish: Wish, *, now_s: float) -> list[str]:
    """Return the ids of the operations that a list holds, in its order."""
    if wish:
        ids = [record.id for record in reading.operations(states) if wish.is_met_by(record)]
    else:
        ids = reading.operation_ids(states)
    needing = {
        record.id
        for record in reading.operations([state for state in MAY_NEED if states is None or state in states])
        if views.needs_somebody(record, now_s=now_s)
    }
    return sorted(ids, key=lambda each: each not in needing)


def listed(base: Base, reading: Reading, operation_ids: Sequence[str], *, spark: int) -> list[wire.Operation]:
    """Return operations as the wire shows them, in the order given."""
    summaries = reading.summaries(operation_ids)
    return [
        views.operation(
            reading, record, base.service_of(record), now_s=base.clock(), spark=spark, summary=summaries[record.id]
        )
        for record in reading.operations_of(operation_ids)
    ]
