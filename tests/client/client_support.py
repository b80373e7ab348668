"""A Tutelage that answers from a table, without a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import httpx

from tutelage.client import Client
from tutelage.client.address import Address

Answer = httpx.Response | Exception
WHEN = "2026-01-31T12:00:00.000Z"
ID = "op_01kdqv6v00abcdefghjkmnpqrs"


@dataclass
class Server:
    """Gives its answers in turn (the last one again and again) and keeps the requests."""

    answers: list[Answer]
    requests: list[httpx.Request] = field(default_factory=list)
    located: int = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def locate(self) -> Address:
        self.located += 1
        return Address(url="http://tutelage")

    def client(self) -> Client:
        def open_(address: Address, headers: object) -> httpx.Client:
            return httpx.Client(base_url=address.url, transport=httpx.MockTransport(self.handle), headers=headers)  # type: ignore[arg-type]

        return Client(self.locate, open_=open_)


def operation(operation_id: str = ID, **changes: object) -> dict[str, object]:
    base: dict[str, object] = {
        "id": operation_id,
        "service": "fake",
        "state": "completed",
        "created_at": WHEN,
        "metrics": {"unit": "step"},
    }
    return {**base, **changes}


def answer(body: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body)


def event(cursor: int, kind: str = "log", **data: object) -> str:
    body = httpx.Response(
        200, json={"cursor": str(cursor), "seq": cursor, "operation": ID, "kind": kind, "at": WHEN, "data": data}
    ).text
    return f"id: {cursor}\nevent: {kind}\ndata: {body}\n\n"


def stream(parts: Iterable[str]) -> httpx.Response:
    return httpx.Response(200, text="".join(parts), headers={"content-type": "text/event-stream"})


NoPause = Callable[[float], None]
