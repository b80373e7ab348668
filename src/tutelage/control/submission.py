"""From a document to a validated spec: every key known, every value in its bounds, nothing accepted and inert."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from pydantic import BaseModel, ValidationError

from tutelage.control.policies import check_policy
from tutelage.control.queue import Slots, check_possible
from tutelage.core.errors import (
    InvalidSpec,
    MissingDependency,
    NotYet,
    ServiceBroken,
    TooLarge,
    UnknownName,
    nearest,
    unknown,
)
from tutelage.core.hosts import host_of
from tutelage.core.paths import relative_paths
from tutelage.core.service import Service, load
from tutelage.core.spec import Spec
from tutelage.services.registry import Registry

MAX_DOCUMENT_BYTES = 1 << 20
HOW_TO_NAME = "name it in settings.toml of the home: [hosts.NAME] with url and token"


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A spec that can run, with its service and its config filled in."""

    spec: Spec
    service: Service
    config: BaseModel


def accept(document: Mapping[str, Any], *, registry: Registry, machine: Slots, hosts: Collection[str] = ()) -> Accepted:
    """Validate a document as the platform's spec, or as a service's own format.

    Raises InvalidSpec (each place with its message), UnknownName, NotYet, MissingDependency or TooLarge.
    """
    if len(json.dumps(document)) > MAX_DOCUMENT_BYTES:
        raise TooLarge(f"the spec is over {MAX_DOCUMENT_BYTES:,} bytes", hint="name data by path, do not embed it")
    read = _read_own_format(document, registry)
    if "service" not in read:
        raise InvalidSpec("the spec names no service", hint=f'add "service": one of {", ".join(registry.names())}')
    _refuse_relative(read)
    spec = validated(Spec, read)
    service = registry.get(spec.service)
    _check_links(spec, service)
    if check_executor(spec.executor, hosts) is None:
        check_possible(spec.resources, machine)
        check_installed(service)
    check_policy(spec.policy, service)
    return Accepted(spec=spec, service=service, config=validated(load(service.config), spec.config, at="config"))


def check_installed(service: Service) -> None:
    """Raise MissingDependency where a module that the service's training imports is not here; nothing is imported."""
    missing = [name for name in service.needs if find_spec(name) is None]
    if missing:
        how = f"pip install 'tutelage[{service.extra}]'" if service.extra else f"install {', '.join(missing)}"
        raise MissingDependency(f"{service.name} needs {', '.join(missing)}: not installed here", hint=how)


def check_executor(executor: str, hosts: Collection[str]) -> str | None:
    """Return the host that is asked for, or None for this machine. Raises InvalidSpec, or UnknownName for a host."""
    host = host_of(executor)
    if host is None and executor != "local":
        raise InvalidSpec(f"executor is {executor!r}", hint=f"allowed: local{''.join(f', host:{n}' for n in hosts)}")
    if host is not None and host not in hosts:
        if not hosts:
            raise UnknownName(f"unknown host {host!r}: no host is named in the settings", hint=HOW_TO_NAME)
        raise unknown("host", host, hosts)
    return host


def validated(model: type[BaseModel], document: Mapping[str, Any], *, at: str = "") -> Any:
    """Validate against a pydantic model; errors come in our words, unknown keys with the nearest match."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        errors = [_place(model, item, at) for item in error.errors(include_url=False)]
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise InvalidSpec(
            f"{first['at']}: {first['message']}{more}",
            hint="each place is listed; `tutelage services NAME` shows every setting",
            errors=errors,
        ) from error


def request_hash(document: Mapping[str, Any]) -> str:
    """Return the hash by which two requests under one idempotency key are told apart."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _read_own_format(document: Mapping[str, Any], registry: Registry) -> Mapping[str, Any]:
    """Ask each service whether the whole document is in its own format."""
    if "service" in document:
        return document
    for name in registry.names():
        with contextlib.suppress(ServiceBroken):  # it cannot say; asked for by name, it is refused
            service = registry.get(name)
            spec = load(service.read)(document) if service.read else None
            if spec is not None:
                found: Mapping[str, Any] = spec
                return found
    return document


def _refuse_relative(document: Mapping[str, Any]) -> None:
    found = [{"at": at, "message": f"{value!r} is relative"} for at, value in relative_paths(document.get("config"))]
    if found:
        raise InvalidSpec(
            f"config.{found[0]['at']}: {found[0]['message']}",
            hint="send absolute paths; the command line and the client resolve them against the spec's folder",
            errors=found,
        )


def _check_links(spec: Spec, service: Service) -> None:
    if any(link.kind == "input" for link in spec.links) and not service.reads_operations:
        raise NotYet(
            f"links of kind input are not built yet for {service.name}", hint="name the file by its path in the config"
        )
    if any(link.kind == "branch" for link in spec.links):
        raise InvalidSpec(
            "a branch link is made by `branch`, not written by hand", hint="tutelage branch ID --from best"
        )


def _place(model: type[BaseModel], item: Any, at: str) -> dict[str, str]:
    location = [str(part) for part in item["loc"]]
    place = ".".join([*([at] if at else []), *location]) or at or "spec"
    if item["type"] == "extra_forbidden":
        close = nearest(location[-1], _keys_at(model, location[:-1]))
        question = f"; did you mean {close!r}?" if close else ""
        return {"at": place, "message": f"unknown key{question}"}
    got = item.get("input")
    shown = (
        f", got {got!r}"[:80] if isinstance(got, str | int | float | bool | None) and item["type"] != "missing" else ""
    )
    return {"at": place, "message": f"{item['msg']}{shown}"}


def _keys_at(model: type[BaseModel], location: list[str]) -> list[str]:
    """Return the keys that the model takes at a place, by name and alias."""
    for part in location:
        field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        inner = (
            next((t for t in _types(field.annotation) if isinstance(t, type) and issubclass(t, BaseModel)), None)
            if field
            else None
        )
        if inner is None:
            return []
        model = inner
    return [name for n, f in model.model_fields.items() for name in (f.alias or n, n)]


def _types(annotation: Any) -> list[Any]:
    return [annotation, *getattr(annotation, "__args__", ())]
