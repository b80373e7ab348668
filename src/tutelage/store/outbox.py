"""Messages that wait to be delivered, and how far a reader of the events has come."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from tutelage.store.schema import DELIVERIES, MARKS


@dataclass(frozen=True, kw_only=True)
class DeliveryRecord:
    """One message to one receiver."""

    id: str
    url: str
    body: str
    num_tries: int
    next_at_s: float


def add(connection: Connection, record: DeliveryRecord) -> None:
    """Keep a message until it is delivered or given up."""
    connection.execute(insert(DELIVERIES).values(asdict(record)))


def every(connection: Connection) -> list[DeliveryRecord]:
    """Return all messages, the next one to be tried first."""
    rows = connection.execute(select(DELIVERIES).order_by(DELIVERIES.c.next_at_s, DELIVERIES.c.id)).mappings()
    return [DeliveryRecord(**row) for row in rows]


def count(connection: Connection) -> int:
    """Return how many messages wait."""
    return int(connection.execute(select(func.count()).select_from(DELIVERIES)).scalar() or 0)


def remove(connection: Connection, delivery_id: str) -> None:
    """Forget a message."""
    connection.execute(delete(DELIVERIES).where(DELIVERIES.c.id == delivery_id))


def postpone(connection: Connection, delivery_id: str, *, num_tries: int, next_at_s: float) -> None:
    """Note that a try failed, and when the next one is due."""
    values = {"num_tries": num_tries, "next_at_s": next_at_s}
    connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == delivery_id).values(values))


def mark(connection: Connection, name: str) -> int | None:
    """Return how far a reader has come, or None for one that never read."""
    found = connection.execute(select(MARKS.c.row).where(MARKS.c.name == name)).scalar()
    return None if found is None else int(found)


def set_mark(connection: Connection, name: str, row: int | None) -> None:
    """Keep how far a reader has come; None forgets it."""
    connection.execute(delete(MARKS).where(MARKS.c.name == name))
    if row is not None:
        connection.execute(insert(MARKS).values(name=name, row=row))
