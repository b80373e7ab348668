"""Requests that survive a supervisor's end: the address is looked up again and the same request repeated."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import httpx

from tutelage.client.address import Address
from tutelage.client.problems import raise_for_problem
from tutelage.core.errors import SupervisorUnreachable

TRIES = 3
PAUSE_S = 0.1
TOO_MANY = 429
MAX_PAUSE_S = 10.0

Locate = Callable[[], Address]
Open = Callable[[Address, Mapping[str, str]], httpx.Client]


def open_address(address: Address, headers: Mapping[str, str]) -> httpx.Client:
    """Open an address as it says itself."""
    return address.open(headers)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, the same on every try."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    content: Iterable[bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    stream: bool = False

    def query(self) -> dict[str, Any]:
        """Return the parameters that were given: None means not asked for."""
        return {key: value for key, value in self.params.items() if value is not None}


def mutating(call: Call, idempotency_key: str | None = None) -> Call:
    """Return the call with an idempotency key, so that repeating it does nothing twice."""
    return replace(call, headers={**call.headers, "Idempotency-Key": idempotency_key or uuid4().hex})


class Calls:
    """Sends calls to wherever `locate` says; opened at the first."""

    def __init__(self, locate: Locate, *, headers: Mapping[str, str], open_: Open = open_address) -> None:
        self._locate = locate
        self._headers = dict(headers)
        self._open = open_
        self._http: httpx.Client | None = None
        self._opening = threading.Lock()

    def send(self, call: Call) -> httpx.Response:
        """Return the answer, or raise the error it describes."""
        with self.sending(call) as response:
            response.read()
            return response

    @contextmanager
    def sending(self, call: Call) -> Iterator[httpx.Response]:
        """Open the answer as a stream. Raises SupervisorUnreachable when nobody answers after some tries."""
        response = self._answer(call)
        try:
            raise_for_problem(response)
            yield response
        finally:
            response.close()

    def forget(self, broken: httpx.Client | None = None) -> None:
        """Close the connection, or only the one that broke; the next call looks the address up again."""
        with self._opening:
            http = self._http
            if http is None or broken not in (None, http):
                return
            self._http = None
        http.close()

    def _connected(self) -> httpx.Client:
        """Return the one connection that all threads share."""
        with self._opening:
            if self._http is None:
                self._http = self._open(self._locate(), self._headers)
            return self._http

    def _answer(self, call: Call) -> httpx.Response:
        num_tries = TRIES if call.content is None else 1  # what was read from an iterator cannot be sent again
        for left in reversed(range(num_tries)):
            http = self._connected()
            try:
                response = self._try(http, call)
            except httpx.TimeoutException as error:
                raise SupervisorUnreachable(f"no answer to {call.path} in time", hint="try again later") from error
            except (httpx.TransportError, RuntimeError) as error:
                if isinstance(error, RuntimeError) and not http.is_closed:
                    raise  # httpx says by RuntimeError that another thread has closed the connection
                self.forget(http)
                if not left:
                    text = f"the connection for {call.path} broke {num_tries} times: {error}"
                    raise SupervisorUnreachable(text, hint="see `tutelage doctor`") from error
                time.sleep(PAUSE_S)
                continue
            if response.status_code != TOO_MANY or not left:
                return response
            response.close()
            time.sleep(min(MAX_PAUSE_S, _seconds(response.headers.get("Retry-After", ""))))
        raise AssertionError("unreachable: the last try returns or raises")

    def _try(self, http: httpx.Client, call: Call) -> httpx.Response:
        timeout = httpx.USE_CLIENT_DEFAULT if call.timeout_s is None else httpx.Timeout(call.timeout_s, connect=5.0)
        request = http.build_request(
            call.method,
            call.path,
            params=call.query(),
            json=call.body,
            content=call.content,
            headers=dict(call.headers),
            timeout=timeout,
        )
        response = http.send(request, stream=True)
        if not call.stream:
            response.read()
        return response


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else PAUSE_S
