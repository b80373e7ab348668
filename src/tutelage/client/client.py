"""Client: every method of Platform, asked over HTTP; plus following a stream and fetching a file."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from anyio.to_thread import run_sync
from pydantic import BaseModel, TypeAdapter

from tutelage.client.calls import PAUSE_S, TRIES, Call, Calls, Locate, Open, mutating, open_address
from tutelage.client.sse import messages
from tutelage.core import wire
from tutelage.core.access import NewToken, Token, TokenRequest
from tutelage.core.errors import NotFound, SupervisorUnreachable, TutelageError
from tutelage.core.inputs import Input, input_name
from tutelage.core.layout import HomeFiles
from tutelage.core.operation import ENDED

API = "/api/v1"
LONG_S = 900.0
"""Time for answers that a worker computes: a look at data, a prediction."""

HEARTBEAT_S = 45.0
"""Silence on a stream after which it counts as cut; the server sends a heartbeat each 15 s."""

UPLOAD_BYTES = 1 << 20
PROGRAM = wire.Principal(name="python", kind="program")

Model = TypeVar("Model", bound=BaseModel)


class Client:
    """A Tutelage, here or elsewhere; thread-safe, and usable as a context manager.

    Each mutating call carries an idempotency key and is repeated with it when the connection breaks.
    """

    def __init__(
        self,
        locate: Locate,
        *,
        principal: wire.Principal | None = None,
        files: HomeFiles | None = None,
        open_: Open = open_address,
    ) -> None:
        who = principal or PROGRAM
        name = who.name.encode("ascii", "replace").decode()
        self.principal = who
        self.files = files
        self._calls = Calls(locate, headers={"Tutelage-Principal": f"{who.kind}:{name}"}, open_=open_)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._calls.forget()

    # Catalogue

    def services(self) -> wire.ServiceList:
        """List the services."""
        return self._get(wire.ServiceList, "/services")

    def service(self, name: str) -> wire.ServiceInfo:
        """Describe one service with its JSON schema, defaults and presets."""
        return self._get(wire.ServiceInfo, f"/services/{_part(name)}")

    def dry_run(self, document: Mapping[str, Any]) -> wire.DryRun:
        """Validate a document as `submit` would, and start nothing."""
        call = Call(
            method="POST", path=f"{API}/operations", params={"dry_run": "true"}, body=document, timeout_s=LONG_S
        )
        return self._model(wire.DryRun, mutating(call))

    def inspect(self, request: wire.InspectRequest) -> wire.Inspection:
        """Look at data in a short-lived worker."""
        return self._post(wire.Inspection, "/inspect", request, timeout_s=LONG_S)

    def hosts(self) -> list[wire.HostInfo]:
        """List the machines and their slots."""
        return self._items(wire.HostInfo, "/hosts")

    def health(self) -> wire.Health:
        """Say how the supervisor stands."""
        return self._model(wire.Health, Call(method="GET", path="/healthz"))

    # Operations

    def submit(
        self,
        document: Mapping[str, Any],
        *,
        principal: wire.Principal | None = None,
        idempotency_key: str | None = None,
    ) -> wire.Operation:
        """Queue the operation that a document asks for; its paths must be absolute (see `load_document`)."""
        return self._post(wire.Operation, "/operations", document, principal=principal, key=idempotency_key)

    def operations(
        self,
        *,
        state: str | None = None,
        service: str | None = None,
        tag: str | None = None,
        text: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
        spark: int = 0,
    ) -> wire.OperationPage:
        """List operations, those that need somebody first, then newest first."""
        asked = {"state": state, "service": service, "tag": tag, "text": text, "cursor": cursor}
        return self._get(wire.OperationPage, "/operations", {**asked, "limit": limit, "spark": spark or None})

    def operation(self, operation_id: str, *, spark: int = 0) -> wire.Operation:
        """Return one operation."""
        return self._get(wire.Operation, _of(operation_id), {"spark": spark or None})

    def update(self, operation_id: str, patch: wire.OperationPatch) -> wire.Operation:
        """Change name, notes or tags."""
        body = patch.model_dump(mode="json", exclude_unset=True)
        call = Call(method="PATCH", path=API + _of(operation_id), body=body)
        return self._model(wire.Operation, mutating(call))

    def delete(self, operation_id: str) -> None:
        """Remove an ended operation's files and rows; its ledger stays."""
        self._calls.send(mutating(Call(method="DELETE", path=API + _of(operation_id))))

    def gc(self, *, older_than_s: float, dry_run: bool = False) -> wire.GcReport:
        """Remove what ended long ago, and checkpoints that nothing needs."""
        return self._post(wire.GcReport, "/gc", {"older_than_s": older_than_s, "dry_run": dry_run}, timeout_s=LONG_S)

    # Acting

    def command(
        self,
        operation_id: str,
        request: wire.CommandRequest,
        *,
        principal: wire.Principal | None = None,
        idempotency_key: str | None = None,
    ) -> wire.Decision:
        """Record a decision and carry it out."""
        path = _of(operation_id, "commands")
        return self._post(wire.Decision, path, request, principal=principal, key=idempotency_key)

    def decisions(self, operation_id: str | None = None) -> list[wire.Decision]:
        """Return the ledger, oldest first."""
        return self._items(wire.Decision, _of(operation_id, "decisions") if operation_id else "/decisions")

    def verify_ledger(self) -> wire.LedgerState:
        """Check the ledger's chain of hashes."""
        return self._get(wire.LedgerState, "/decisions/verify")

    def use(self, operation_id: str, request: wire.UseRequest) -> wire.UseAnswer:
        """Ask a finished model."""
        return self._post(wire.UseAnswer, _of(operation_id, "use"), request, timeout_s=LONG_S)

    def models(self) -> list[wire.ModelEntry]:
        """List the models that can be used."""
        return self._items(wire.ModelEntry, "/models")

    # Watching

    def metrics(
        self,
        operation_id: str,
        *,
        scope: str = "",
        keys: tuple[str, ...] = (),
        from_step: int | None = None,
        to_step: int | None = None,
        points: int = 1000,
        since: str | None = None,
        all_attempts: bool = False,
    ) -> wire.MetricHistory:
        """Return curves, down-sampled to about `points` rows."""
        asked = {
            "scope": scope,
            "keys": ",".join(keys) or None,
            "from": from_step,
            "to": to_step,
            "points": points,
            "since": since,
            "attempts": "all" if all_attempts else None,
        }
        return self._get(wire.MetricHistory, _of(operation_id, "metrics"), asked)

    def events(
        self, operation_id: str, *, since: str | None = None, limit: int = 1000, kinds: tuple[str, ...] = ()
    ) -> wire.EventPage:
        """Return events after a cursor, of all kinds or only of some."""
        asked = {"since": since, "limit": limit, "kinds": ",".join(kinds) or None}
        return self._get(wire.EventPage, _of(operation_id, "events"), asked)

    def stream(self, operation_id: str, since: str | None = None) -> Iterator[wire.Event]:
        """Yield events as they come, until the operation has ended; a cut stream goes on after the last event.

        Raises SupervisorUnreachable when several connections in a row bring nothing.
        """
        failures = 0
        while failures < TRIES:
            try:
                for event in self._stream_once(operation_id, since):
                    since, failures = event.cursor, 0
                    yield event
                if self.operation(operation_id).state in ENDED:
                    return
            except httpx.TransportError:
                self._calls.forget()
            failures += 1
            time.sleep(PAUSE_S)
        raise SupervisorUnreachable(f"the stream of {operation_id} broke {TRIES} times", hint="see `tutelage doctor`")

    async def stream_async(self, operation_id: str, since: str | None = None) -> AsyncIterator[wire.Event]:
        """Yield the same to a program with an event loop; a thread waits for each event, so that the loop goes on."""
        events = self.stream(operation_id, since)
        while (event := await run_sync(next, events, None, abandon_on_cancel=True)) is not None:
            yield event

    def wait(self, operation_id: str, *, until: str = "terminal", timeout_s: float = 60.0) -> wire.WaitResult:
        """Return when something happened or the time is over."""
        params = {"until": until, "timeout_s": timeout_s}
        call = Call(
            method="GET", path=API + _of(operation_id, "wait"), params=params, timeout_s=timeout_s + HEARTBEAT_S
        )
        return self._model(wire.WaitResult, call)

    def logs(self, operation_id: str, *, since: str | None = None, limit: int = 200) -> wire.LogPage:
        """Return lines of the log: the last ones, or those after a cursor."""
        return self._get(wire.LogPage, _of(operation_id, "logs"), {"since": since, "limit": limit})

    def compare(self, operation_ids: tuple[str, ...]) -> wire.Comparison:
        """Put operations side by side."""
        return self._get(wire.Comparison, "/compare", {"ids": ",".join(operation_ids)})

    # Holdings

    def artifacts(self, operation_id: str) -> list[wire.Artifact]:
        """List the files it produced."""
        return self._items(wire.Artifact, _of(operation_id, "artifacts"))

    def artifact(self, operation_id: str, name: str) -> Path:
        """Return the path of one of them in the home of this machine; elsewhere `download` fetches it."""
        if self.files is None:
            text = f"{name!r} lies on another machine"
            raise TutelageError(text, hint="`download(operation_id, name, target)` fetches it")
        names = [artifact.name for artifact in self.artifacts(operation_id)]
        if name not in names:
            raise NotFound(f"no artifact {name!r}", hint=f"there are: {', '.join(names) or 'none'}")
        return self.files.operation(operation_id).artifacts / name

    def download(self, operation_id: str, name: str, target: Path) -> Path:
        """Write one artifact to `target` (into it, where it is a folder) and return the path; whole or not at all."""
        target = target / Path(name).name if target.is_dir() else target
        part = target.with_name(f".{target.name}.part")
        call = Call(method="GET", path=API + _of(operation_id, "artifacts", name), stream=True)
        try:
            with self._calls.sending(call) as response, part.open("wb") as file:
                for chunk in response.iter_bytes():
                    file.write(chunk)
            part.replace(target)
        except httpx.TransportError as error:
            raise SupervisorUnreachable(f"the download of {name} broke off: {error}", hint="try again") from error
        finally:
            part.unlink(missing_ok=True)
        return target

    def checkpoints(self, operation_id: str) -> list[wire.Checkpoint]:
        """List its resumable states."""
        return self._items(wire.Checkpoint, _of(operation_id, "checkpoints"))

    def environment(self, operation_id: str) -> dict[str, Any]:
        """Return what its latest attempt ran on: packages, git, machine."""
        return self._object(_of(operation_id, "environment"))

    def spec(self, operation_id: str) -> dict[str, Any]:
        """Return the spec as it was accepted."""
        return self._object(_of(operation_id, "spec"))

    def lineage(self, operation_id: str) -> wire.Lineage:
        """Return ancestors and descendants."""
        return self._get(wire.Lineage, _of(operation_id, "lineage"))

    # Entrance

    def create_token(self, request: TokenRequest) -> NewToken:
        """Make a token for TCP; the answer is the only place that ever holds its secret."""
        return self._post(NewToken, "/tokens", request)

    def tokens(self) -> list[Token]:
        """List the tokens, without their secrets."""
        return self._items(Token, "/tokens")

    def revoke_token(self, name: str) -> Token:
        """End a token, by its id or by its name."""
        return self._model(Token, mutating(Call(method="DELETE", path=f"{API}/tokens/{_part(name)}")))

    def put_input(self, sha256: str, *, name: str, chunks: Iterable[bytes]) -> Input:
        """Keep a file under the hash of its content; a spec may then name its path."""
        path = f"{API}/inputs/{_part(sha256)}"
        call = Call(method="PUT", path=path, params={"name": name}, content=chunks, timeout_s=LONG_S)
        return self._model(Input, call)

    def input(self, sha256: str, *, name: str | None = None) -> Input:
        """Return the file that was sent under a hash."""
        return self._get(Input, f"/inputs/{_part(sha256)}", {"name": name})

    def upload(self, path: Path) -> Input:
        """Send a file, unless its content is there already."""
        with path.open("rb") as file:
            sha256, name = hashlib.file_digest(file, "sha256").hexdigest(), input_name(path.name)
            with contextlib.suppress(NotFound):
                return self.input(sha256, name=name)
            file.seek(0)
            return self.put_input(sha256, name=name, chunks=iter(lambda: file.read(UPLOAD_BYTES), b""))

    # How it asks

    def _stream_once(self, operation_id: str, since: str | None) -> Iterator[wire.Event]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": since} if since else {})}
        call = Call(
            method="GET", path=API + _of(operation_id, "events"), headers=headers, timeout_s=HEARTBEAT_S, stream=True
        )
        with self._calls.sending(call) as response:
            for message in messages(response.iter_lines()):
                yield wire.Event.model_validate_json(message.data)

    def _get(self, model: type[Model], path: str, params: Mapping[str, Any] | None = None) -> Model:
        return self._model(model, Call(method="GET", path=API + path, params=params or {}))

    def _items(self, model: type[Model], path: str) -> list[Model]:
        answer = self._calls.send(Call(method="GET", path=API + path)).json()
        return TypeAdapter(list[model]).validate_python(answer["items"])  # type: ignore[valid-type]

    def _object(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._calls.send(Call(method="GET", path=API + path)).json()
        return answer

    def _post(
        self,
        model: type[Model],
        path: str,
        body: BaseModel | Mapping[str, Any],
        *,
        principal: wire.Principal | None = None,
        key: str | None = None,
        timeout_s: float | None = None,
    ) -> Model:
        content = body.model_dump(mode="json", by_alias=True) if isinstance(body, BaseModel) else body
        headers = {"Tutelage-Principal": f"{principal.kind}:{principal.name}"} if principal else {}
        call = Call(method="POST", path=API + path, body=content, headers=headers, timeout_s=timeout_s)
        return self._model(model, mutating(call, key))

    def _model(self, model: type[Model], call: Call) -> Model:
        return model.model_validate_json(self._calls.send(call).content)


def _of(operation_id: str, *parts: str) -> str:
    return "/".join(["/operations", *(_part(part) for part in (operation_id, *parts))])


def _part(name: str) -> str:
    """Quote a name for a path; the slashes of an artifact's name stay."""
    return quote(name, safe="/")
