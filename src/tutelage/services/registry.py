"""Names of services -> dotted paths. Looking one up imports only its declaration, never its libraries."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping

from tutelage.core.errors import NotYet, ServiceBroken, unknown
from tutelage.core.service import Service, load

BUILT_IN = {
    "agents": "tutelage.services.agents:SERVICE",
    "cognate": "tutelage.services.cognate:SERVICE",
    "script": "tutelage.services.script:SERVICE",
    "tabular": "tutelage.services.tabular:SERVICE",
}

PLANNED = {
    "codegen": "text to WGSL",
}
"""Services of the design that are not built yet; asked for, they are refused by name."""

ENTRY_POINTS = "tutelage.services"


class Registry:
    """Finds services by name: the built-in ones, third parties' by entry point, and those given directly."""

    def __init__(self, extra: Mapping[str, str] | None = None) -> None:
        third_party = {point.name: point.value for point in importlib.metadata.entry_points(group=ENTRY_POINTS)}
        self._paths = {**third_party, **BUILT_IN, **(extra or {})}
        self._loaded: dict[str, Service] = {}

    def names(self) -> list[str]:
        """Return the registered names in order."""
        return sorted(self._paths)

    def get(self, name: str) -> Service:
        """Return a service. Raises UnknownName with the nearest match, or NotYet for a planned one."""
        if name in self._loaded:
            return self._loaded[name]
        if name in self._paths:
            return self._loaded.setdefault(name, _load(name, self._paths[name]))
        if name in PLANNED:
            raise NotYet(
                f"the service {name!r} ({PLANNED[name]}) is not built yet", hint=f"built: {', '.join(self.names())}"
            )
        raise unknown("service", name, self.names())


def _load(name: str, dotted: str) -> Service:
    try:
        service = load(dotted)
    except (ImportError, AttributeError) as error:
        raise ServiceBroken(
            f"the service {name!r} cannot be loaded from {dotted!r}: {error}",
            hint="install its package, or correct its dotted path `package.module:SERVICE`",
        ) from error
    if not isinstance(service, Service):
        raise ServiceBroken(f"{dotted!r} is not a Service but {type(service).__name__}", hint="name the Service itself")
    return service
