"""The composition root: settings -> store, executor, registry, control plane. The only file that knows them all."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from tutelage.control import ControlPlatform, Supervision
from tutelage.control.base import Base
from tutelage.control.commands import Commands
from tutelage.control.mirroring import Mirroring
from tutelage.control.models import Helpers
from tutelage.control.outbox import Outbox
from tutelage.control.queue import Slots
from tutelage.executors import HostLink, LocalExecutor
from tutelage.interfaces.webhooks import post
from tutelage.services.registry import Registry
from tutelage.settings import Settings
from tutelage.store import Store


@dataclass(frozen=True, kw_only=True)
class Parts:
    """A control plane put together, and what must be closed at its end."""

    base: Base
    platform: ControlPlatform
    supervision: Supervision
    helpers: Helpers
    outbox: Outbox
    mirroring: Mirroring

    def close(self) -> None:
        """End helpers and close the database; workers live on."""
        self.helpers.close()
        for link in self.base.hosts.values():
            link.close()
        self.base.store.close()


def build(settings: Settings) -> Parts:
    """Put the control plane of one home together."""
    files = settings.files
    memory_gib = settings.memory_gib or psutil.virtual_memory().total / 2**30
    executor = LocalExecutor(files, services=settings.services)
    base = Base(
        settings=settings,
        files=files,
        store=Store(files.database),
        executor=executor,
        registry=Registry(settings.services),
        machine=Slots(cpus=settings.cpus, gpus=settings.gpus, memory_gib=memory_gib),
        hosts={name: HostLink(name, address) for name, address in settings.hosts.items()},
    )
    commands, helpers = Commands(base), Helpers(executor)
    supervision, outbox = Supervision(base, commands), Outbox(base, post)
    base.outstanding.extend([outbox.is_busy, commands.mirroring.is_busy])
    return Parts(
        base=base,
        platform=ControlPlatform(base, commands, supervision, helpers),
        supervision=supervision,
        helpers=helpers,
        outbox=outbox,
        mirroring=commands.mirroring,
    )
