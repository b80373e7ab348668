"""The session API of the original services: thin and asynchronous, on any platform - a client, mostly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import anyio.to_thread

from tutelage.core.commands import Verb
from tutelage.core.ports import Platform
from tutelage.core.wire import CommandRequest, Operation, Principal

TASK = "task_id"
"""The tag that keeps a caller's own name for a session."""


class Sessions:
    """Sessions of one service. They are operations; a session's id is the operation's. Errors are the platform's."""

    SERVICE: ClassVar[str]
    FIGURES: ClassVar[Mapping[str, str]]
    """What a status shows beside progress -> the metric whose latest value it is."""

    def __init__(self, platform: Platform, *, principal: Principal | None = None) -> None:
        self._platform = platform
        self._principal = principal or Principal(name="session")

    async def start_training_session(self, task_id: str, parameters: Mapping[str, Any]) -> str:
        """Start a training with `parameters` as its config; return the session's id. Raises InvalidSpec."""
        document = {"service": self.SERVICE, "name": task_id[:120], "config": dict(parameters), "tags": {TASK: task_id}}
        made = await anyio.to_thread.run_sync(lambda: self._platform.submit(document, principal=self._principal))
        return made.id

    async def get_training_status(self, session_id: str) -> dict[str, Any]:
        """Return state, progress (0 to 1), message, step, total_steps and the service's figures; null where none is."""
        return self._status(await anyio.to_thread.run_sync(self._platform.operation, session_id))

    async def cancel_training_session(self, session_id: str) -> bool:
        """Cancel; return whether the session has ended or will. Raises IllegalCommand for one that has ended."""
        request = CommandRequest(verb=Verb.CANCEL, reason="cancelled through the session API")
        decision = await anyio.to_thread.run_sync(
            lambda: self._platform.command(session_id, request, principal=self._principal)
        )
        return decision.status in ("accepted", "applied")

    async def list_trained_models(self) -> list[dict[str, Any]]:
        """Return the finished models: operation, name, when they ended, their best evaluation, bytes."""
        models = await anyio.to_thread.run_sync(self._platform.models)
        return [item.model_dump(mode="json") for item in models if item.service == self.SERVICE]

    async def get_model_artifacts(self, session_id: str) -> dict[str, str]:
        """Return each artifact's name and the path of its file."""
        listed = await anyio.to_thread.run_sync(self._platform.artifacts, session_id)
        return {item.name: str(await anyio.to_thread.run_sync(self._fetch, session_id, item.name)) for item in listed}

    def _fetch(self, session_id: str, name: str) -> Path:
        return self._platform.artifact(session_id, name)

    def _status(self, operation: Operation) -> dict[str, Any]:
        progress, latest = operation.progress, operation.metrics.latest
        return {
            "session_id": operation.id,
            "task_id": operation.tags.get(TASK, operation.name),
            "state": str(operation.state),
            "progress": progress.fraction,
            "message": progress.message,
            "step": progress.done,
            "total_steps": progress.total,
            **{shown: latest.get(metric) for shown, metric in self.FIGURES.items()},
            "error": operation.error.message if operation.error else None,
        }
