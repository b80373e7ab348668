"""From settings to a client: a remote Tutelage where a URL is set, else the supervisor of the home."""

from __future__ import annotations

from tutelage.client import starter
from tutelage.client.address import Address
from tutelage.client.calls import Locate
from tutelage.client.client import Client
from tutelage.core.errors import SupervisorUnreachable
from tutelage.core.wire import Principal
from tutelage.settings import Settings, load_settings


def connect(settings: Settings | None = None, *, start: bool = True, principal: Principal | None = None) -> Client:
    """Return a client that is connected: somebody answers.

    With `start` a supervisor of the home is started when none answers, then and later.
    Raises SupervisorUnreachable when nobody answers all the same.
    """
    settings = settings or load_settings()
    locate = _remote(settings) if settings.url else _local(settings, start)
    first = locate()
    addresses = iter([first])
    files = None if settings.url else settings.files
    return Client(lambda: next(addresses, None) or locate(), principal=principal, files=files)


def _remote(settings: Settings) -> Locate:
    address = Address(url=(settings.url or "").rstrip("/"), token=settings.token)
    return lambda: address


def _local(settings: Settings, start: bool) -> Locate:
    def locate() -> Address:
        found = starter.find_or_start(settings.files) if start else starter.find(settings.files)
        if found is None:
            raise SupervisorUnreachable(
                f"no supervisor answers in {settings.home}", hint="any command such as `tutelage ops` starts one"
            )
        return found

    return locate
