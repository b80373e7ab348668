"""Webhooks: who is told of what, tries until it is taken, and what waits over a restart."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.support import Plane, plane_at

from tutelage.control.outbox import MAX_TRIES, Outbox
from tutelage.core.webhooks import Notice, Webhook

URL = "https://ci.example/hook"
HOOKS = [Webhook(url=URL, secret="pssst"), Webhook(url="https://other.example/", on=frozenset({"ended"}))]


@dataclass
class Receiver:
    """Takes messages, or does not."""

    answers: list[str | None] = field(default_factory=list)
    got: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> str | None:
        self.got.append((url, body, headers))
        return self.answers.pop(0) if self.answers else None

    def notices(self, url: str = URL) -> list[Notice]:
        return [Notice.model_validate_json(body) for to, body, _ in self.got if to == url]


class Ahead:
    """A clock that a test turns on."""

    now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


def outbox_of(plane: Plane, receiver: Receiver) -> tuple[Outbox, Ahead]:
    clock = Ahead()
    object.__setattr__(plane.parts.base, "clock", clock)
    made = Outbox(plane.parts.base, receiver.post)
    made.begin()
    return made, clock


def test_receivers_are_told_what_they_asked_for_and_can_check_who_sent_it(tmp_path: Path) -> None:
    receiver = Receiver()
    with plane_at(tmp_path / "home", webhooks=HOOKS) as plane:
        outbox, clock = outbox_of(plane, receiver)
        operation = plane.finish(plane.submit({"steps": 60}).id)
        outbox.collect()
        assert outbox.is_busy()
        outbox.deliver()
        assert not outbox.is_busy()
    told = receiver.notices()
    assert {notice.on for notice in told} == {"verdict", "ended"}
    assert [notice.on for notice in receiver.notices("https://other.example/")] == ["ended"]
    assert told[-1].operation == operation.id
    [(_, body, unsigned)] = [item for item in receiver.got if item[0] != URL]
    assert json.loads(body)["event"]["kind"] == "state"
    assert "Tutelage-Signature" not in unsigned
    _, body, headers = receiver.got[0]
    digest = hmac.new(b"pssst", f"{int(clock.now_s)}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["Tutelage-Signature"] == f"t={int(clock.now_s)},v1={digest}"


def test_what_is_not_taken_is_tried_again_later_and_later_under_one_id(tmp_path: Path) -> None:
    receiver = Receiver(answers=["refused"] * 3)
    with plane_at(tmp_path / "home", webhooks=[HOOKS[1]]) as plane:
        outbox, clock = outbox_of(plane, receiver)
        plane.finish(plane.submit({"steps": 5}).id)
        outbox.collect()
        pauses = []
        while outbox.is_busy():
            before = len(receiver.got)
            outbox.deliver()
            if len(receiver.got) > before:
                pauses.append(clock.now_s)
            clock.now_s += 1
    assert [round(b - a) for a, b in pairwise(pauses)] == [1, 2, 4]
    assert len({headers["Tutelage-Delivery"] for _, _, headers in receiver.got}) == 1


def test_a_receiver_that_is_gone_is_given_up(tmp_path: Path) -> None:
    receiver = Receiver(answers=["gone"] * 100)
    with plane_at(tmp_path / "home", webhooks=[HOOKS[1]]) as plane:
        outbox, clock = outbox_of(plane, receiver)
        plane.finish(plane.submit({"steps": 5}).id)
        outbox.collect()
        for _ in range(MAX_TRIES + 5):
            outbox.deliver()
            clock.now_s += 1000
        assert not outbox.is_busy()
    assert len(receiver.got) == MAX_TRIES


def test_what_waits_survives_a_restart_and_nothing_is_told_twice(tmp_path: Path) -> None:
    receiver = Receiver(answers=["busy"])
    with plane_at(tmp_path / "home", webhooks=[HOOKS[1]]) as plane:
        outbox, _ = outbox_of(plane, receiver)
        plane.finish(plane.submit({"steps": 5}).id)
        outbox.collect()
        outbox.deliver()
        assert not plane.platform.is_idle()
    with plane_at(tmp_path / "home", webhooks=[HOOKS[1]]) as plane:
        outbox, clock = outbox_of(plane, receiver)
        clock.now_s += 10
        outbox.collect()
        outbox.deliver()
        outbox.collect()
        assert plane.platform.is_idle()
    assert len(receiver.got) == 2


def test_a_receiver_named_later_is_told_of_later_events_only(tmp_path: Path) -> None:
    receiver = Receiver()
    with plane_at(tmp_path / "home") as plane:
        outbox_of(plane, receiver)
        plane.finish(plane.submit({"steps": 5}).id)
    with plane_at(tmp_path / "home", webhooks=HOOKS) as plane:
        outbox, _ = outbox_of(plane, receiver)
        outbox.collect()
        outbox.deliver()
    assert receiver.got == []


@pytest.mark.parametrize("url", ["ftp://x/", "https://user:pass@x/", "file:///etc/passwd", "x", "http://a b/"])
def test_a_receiver_needs_a_plain_web_address(url: str) -> None:
    given: dict[str, Any] = {"url": url}
    with pytest.raises(ValueError, match="url"):
        Webhook.model_validate(given)
