"""The outbox of webhooks: events become messages in the transaction that marks them read; then they are sent.

Each message is delivered at least once, under one id. What waits survives a restart, and keeps the supervisor alive.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping

from tutelage.control import views
from tutelage.control.base import Base
from tutelage.control.judging import assessment_of
from tutelage.core.errors import DatabaseLocked, DiskFull
from tutelage.core.events import Event, EventKind
from tutelage.core.operation import ENDED
from tutelage.core.webhooks import Notice, Occasion, Webhook, signature
from tutelage.core.wire import Best
from tutelage.store import outbox
from tutelage.store.outbox import DeliveryRecord
from tutelage.store.store import Transaction

LOG = logging.getLogger(__name__)
MARK = "webhooks"
PAGE = 500
MAX_TRIES = 10
MAX_PAUSE_S = 300.0
LOOK_S = 1.0

Post = Callable[[str, bytes, Mapping[str, str]], str | None]
"""Sends (url, body, headers); returns why it failed, or None once the receiver took it."""


class Outbox:
    """Tells the receivers of a home."""

    def __init__(self, base: Base, post: Post) -> None:
        self._base, self._post = base, post
        self._hooks: Mapping[str, Webhook] = {hook.url: hook for hook in base.settings.webhooks}
        self._ended = threading.Event()
        self._seen = 0

    def run(self) -> None:
        """Collect and deliver until `end` is called."""
        self.begin()
        while self._hooks and not self._ended.is_set():
            seen = self._base.hub.version
            try:
                self.collect()
                self.deliver()
            except (DiskFull, DatabaseLocked) as error:
                LOG.error("webhooks are postponed: %s", error)
            self._base.hub.wait(seen, LOOK_S)

    def end(self) -> None:
        """Leave after the present message."""
        self._ended.set()
        self._base.hub.ring()

    def is_busy(self) -> bool:
        """Tell whether messages wait."""
        if not self._hooks:
            return False
        with self._base.store.reading() as reading:
            return outbox.count(reading.connection) > 0

    def begin(self) -> None:
        """Go on after the last event that was read; receivers named for the first time are told of later ones only."""
        with self._base.store.writing() as tx:
            known = outbox.mark(tx.connection, MARK)
            if not self._hooks and known is not None:
                outbox.set_mark(tx.connection, MARK, None)
            elif self._hooks and known is None:
                outbox.set_mark(tx.connection, MARK, tx.last_row())

    def collect(self) -> None:
        """Turn events that nobody was told of into messages."""
        base = self._base
        with base.store.reading() as reading:
            after = outbox.mark(reading.connection, MARK)
            if after is None:
                return
            newest, after = reading.last_row(), max(after, self._seen)
            fresh = reading.events(None, after=after, limit=PAGE, kinds=[EventKind.STATE, EventKind.VERDICT])
        self._seen = fresh[-1].row if len(fresh) == PAGE else newest  # the many metrics are looked through once
        if not fresh:
            return
        with base.store.writing() as tx:
            for event in fresh:
                for record in self._messages(tx, event):
                    outbox.add(tx.connection, record)
            outbox.set_mark(tx.connection, MARK, fresh[-1].row)

    def deliver(self) -> None:
        """Try each message that is due once."""
        base = self._base
        with base.store.reading() as reading:
            due = [item for item in outbox.every(reading.connection) if item.next_at_s <= base.clock()]
        for record in due:
            if self._ended.is_set():
                return
            self._try(record)

    def _try(self, record: DeliveryRecord) -> None:
        hook, body = self._hooks.get(record.url), record.body.encode()
        failure = self._post(record.url, body, self._headers(record, hook, body)) if hook else None
        num_tries = record.num_tries + 1
        with self._base.store.writing() as tx:
            if failure is None or num_tries >= MAX_TRIES:
                outbox.remove(tx.connection, record.id)
            else:
                next_at_s = self._base.clock() + min(2.0**record.num_tries, MAX_PAUSE_S)
                outbox.postpone(tx.connection, record.id, num_tries=num_tries, next_at_s=next_at_s)
        if failure is not None:
            ends = "given up" if num_tries >= MAX_TRIES else "tried again later"
            LOG.warning("webhook %s, try %d of %d: %s; %s", record.url, num_tries, MAX_TRIES, failure, ends)

    def _headers(self, record: DeliveryRecord, hook: Webhook | None, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Tutelage-Delivery": record.id}
        if hook and hook.secret:
            headers["Tutelage-Signature"] = signature(hook.secret, at_s=int(self._base.clock()), body=body)
        return headers

    def _messages(self, tx: Transaction, event: Event) -> Iterator[DeliveryRecord]:
        occasion = _occasion(event)
        record = tx.operation(event.operation) if occasion else None
        if occasion is None or record is None:
            return
        assessment, top = assessment_of(record), (record.judgement or {}).get("best")
        for number, hook in enumerate(self._hooks.values()):
            if occasion not in hook.on:
                continue
            notice = Notice(
                id=f"msg_{event.row:012d}_{number}",
                on=occasion,
                operation=record.id,
                service=record.service,
                name=record.name,
                state=record.state,
                verdict=assessment.verdict if assessment else None,
                sentence=assessment.sentence if assessment else "",
                best=Best.model_validate(top) if top else None,
                event=views.event(event),
            )
            body = notice.model_dump_json()
            yield DeliveryRecord(id=notice.id, url=hook.url, body=body, num_tries=0, next_at_s=self._base.clock())


def _occasion(event: Event) -> Occasion | None:
    if event.kind is EventKind.VERDICT:
        return "verdict"
    return "ended" if event.data.get("state") in list(ENDED) else None
