"""Routes of what can be trained and on what: services, hosts, models, a look at data, health."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from tutelage.core import wire
from tutelage.interfaces.rest.context import PlatformHere
from tutelage.interfaces.rest.prometheus import exposition

router = APIRouter()
health_router = APIRouter()


class Models(BaseModel):
    """Models that can be used."""

    items: list[wire.ModelEntry]


class Hosts(BaseModel):
    """Machines that train."""

    items: list[wire.HostInfo]


@health_router.get("/healthz")
def healthz(platform: PlatformHere) -> wire.Health:
    """Say how the supervisor stands."""
    return platform.health()


@health_router.get("/metrics", response_class=PlainTextResponse)
def prometheus(platform: PlatformHere) -> str:
    """Return the supervisor's own figures in Prometheus' text format."""
    return exposition(platform)


@router.get("/services")
def services(platform: PlatformHere) -> wire.ServiceList:
    """List the services."""
    return platform.services()


@router.get("/services/{name}")
def service(platform: PlatformHere, name: str) -> wire.ServiceInfo:
    """Describe one service: JSON schema, defaults, presets, metrics, tunables."""
    return platform.service(name)


@router.get("/hosts")
def hosts(platform: PlatformHere) -> Hosts:
    """List the machines and their slots."""
    return Hosts(items=platform.hosts())


@router.get("/models")
def models(platform: PlatformHere) -> Models:
    """List the models that can be used."""
    return Models(items=platform.models())


@router.post("/inspect")
def inspect(platform: PlatformHere, request: wire.InspectRequest) -> wire.Inspection:
    """Look at data in a short-lived worker."""
    return platform.inspect(request)
