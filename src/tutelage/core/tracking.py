"""Export to an experiment tracker: what is asked for, how it stands, and which addresses are taken at all.

Each file of the folder `tracking/` of an operation has one writer: `request.json` the worker, `feed.json` the
supervisor, `state.json` the exporter.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from tutelage.core.atomic import write_json
from tutelage.core.errors import InvalidSpec, NotYet
from tutelage.core.layout import OperationFiles
from tutelage.core.spec import Document

Status = Literal["disabled", "pending", "logged", "unreachable"]
HTTP = ("http", "https")
SQLITE = "sqlite:///"
USERINFO = re.compile(r"(?<=://)[^/\s@]*@")
METADATA_SERVICES = frozenset({ipaddress.ip_address("fd00:ec2::254")})
"""Addresses outside the link-local range at which clouds hand out credentials."""


class TrackingRequest(Document):
    """What a run asks of a tracker; written by the worker before any work, so that a failure is exported too."""

    attempt: int = Field(ge=1, description="the attempt that asks")
    uri: str = Field(description="the tracker: http(s)://..., or sqlite:////absolute/path")
    experiment: str | None = Field(None, description="the experiment's name; default the service's")
    registered_model: str | None = Field(None, description="the registered model's name; default experiment or run")
    alias: str | None = Field(None, description="the alias that the new version gets; none without")
    model: str | None = Field(None, description="dotted path of a ModelReader: folder of the operation -> its model")


@dataclass(frozen=True, kw_only=True)
class TrackedModel:
    """A finished model as a tracker keeps it.

    `model` predicts from a table of raw rows; `columns` are those it needs; `example` is a few such rows, or None
    where the data is not there any more; `requirements` are pip's lines for what loads and runs it.
    """

    model: Any
    columns: tuple[str, ...]
    example: Any
    requirements: tuple[str, ...]


ModelReader = Callable[[Path], TrackedModel]


def ask(files: OperationFiles, request: TrackingRequest) -> None:
    """Leave the request in the operation's folder. Raises OSError."""
    files.tracking.mkdir(parents=True, exist_ok=True)
    write_json(files.tracking_request, request.model_dump(mode="json"), durable=True)


def asked(files: OperationFiles) -> TrackingRequest | None:
    """Return what the run asks of a tracker, or None where it asks for nothing, or its file is damaged."""
    try:
        return TrackingRequest.model_validate(read_object(files.tracking_request))
    except ValidationError:
        return None


def experiment_of(files: OperationFiles) -> dict[str, Any]:
    """Return the `experiment` block of a result document: how the export of the newest attempt stands."""
    request = asked(files)
    if request is None:
        return {"status": "disabled"}
    state = read_object(files.tracking_state)
    is_of_now = state.get("attempt") == request.attempt
    block = {
        "status": state.get("status", "pending") if is_of_now else "pending",
        "runId": state.get("runId"),
        "experimentId": state.get("experimentId"),
        "trackingUri": without_userinfo(request.uri),
    }
    more = ("registeredModel", "modelVersion", "modelAlias", "detail")
    return {**block, **{key: state[key] for key in more if is_of_now and state.get(key)}}


def check_uri(uri: str) -> str:
    """Return `uri` if such a tracker may be asked at all.

    Raises InvalidSpec for other schemes, credentials in the URI, relative paths and link-local addresses.
    """
    parts = _split(uri)
    if parts.scheme in HTTP:
        return _check_http(uri, parts)
    if uri.startswith(SQLITE):
        if not uri.startswith(f"{SQLITE}/") or "?" in uri or "#" in uri:
            raise InvalidSpec(
                f"trackingUri {uri!r} is not the absolute path of a SQLite file", hint="sqlite:////home/me/mlflow.db"
            )
        return uri
    if parts.scheme in ("file", ""):
        raise InvalidSpec(
            "trackingUri names a folder, and MLflow has given up its file store",
            hint="leave trackingUri out for the home's own tracker, or use sqlite:////absolute/path/mlflow.db",
        )
    raise NotYet(f"trackers at {parts.scheme!r} addresses are not built yet", hint="http, https, sqlite:////path")


def _split(uri: str) -> Any:
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018  raises ValueError for a port that is none
    except ValueError as error:
        raise InvalidSpec(f"trackingUri is not an address: {error}", hint="http://localhost:5000") from error
    if not uri.isprintable() or " " in uri:
        raise InvalidSpec("trackingUri holds spaces or control characters", hint="http://localhost:5000")
    return parts


def _check_http(uri: str, parts: Any) -> str:
    if parts.username is not None or parts.password is not None:
        raise InvalidSpec(
            f"trackingUri {without_userinfo(uri)!r} came with credentials, and a spec is kept and shown",
            hint="set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, instead",
        )
    if not parts.hostname or parts.query or parts.fragment:
        raise InvalidSpec(f"trackingUri {uri!r} is not a tracker's address", hint="http://localhost:5000")
    try:
        address = ipaddress.ip_address(parts.hostname.partition("%")[0])
    except ValueError:
        return uri  # a name: its addresses are checked when it is resolved
    if why := why_refused(address):
        raise InvalidSpec(f"trackingUri names {address}, which is {why}", hint="name the tracker's own address")
    return uri


def why_refused(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return why no tracker may be asked at this address, or an empty text; loopback and private ones may."""
    mapped = getattr(address, "ipv4_mapped", None)
    plain = mapped or address
    if plain.is_link_local or plain in METADATA_SERVICES:
        return "link-local: clouds hand out credentials there"
    if plain.is_multicast or plain.is_unspecified or (plain.is_reserved and not plain.is_loopback):
        return "not the address of a machine"
    return ""


def without_userinfo(text: str) -> str:
    """Return a text in which no address carries credentials."""
    return USERINFO.sub("", text)


def read_object(path: Path) -> dict[str, Any]:
    """Return a file's JSON object, or an empty one where there is none to read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
