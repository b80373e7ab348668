"""How far an export is: kept after each stage, so that the next try goes on there and doubles nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from tutelage.core.atomic import write_json
from tutelage.core.tracking import Status, read_object, without_userinfo

MAX_DETAIL = 300
NAMES = {"run_id": "runId", "experiment_id": "experimentId", "registered_model": "registeredModel"}
NAMES |= {"model_version": "modelVersion", "model_alias": "modelAlias", "model_uri": "modelUri"}


@dataclass(kw_only=True)
class ExportState:
    """What `state.json` says: the status, where the run is, and the stages that are done."""

    path: Path
    attempt: int
    status: Status = "pending"
    detail: str = ""
    run_id: str | None = None
    experiment_id: str | None = None
    model_uri: str | None = None
    registered_model: str | None = None
    model_version: str | None = None
    model_alias: str | None = None
    done: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path, *, attempt: int) -> ExportState:
        """Read the state; what an earlier attempt exported is exported again, into the same run."""
        kept = read_object(path)
        state = cls(path=path, attempt=attempt, run_id=kept.get("runId"), experiment_id=kept.get("experimentId"))
        if kept.get("attempt") == attempt:
            state.done = list(kept.get("done", []))
            for name, key in NAMES.items():
                setattr(state, name, kept.get(key))
            state.detail = str(kept.get("detail", "")) if state.done else ""
            state.status = kept.get("status", "pending")
        return state

    def save(self) -> None:
        """Write the file whole. Raises OSError."""
        document = {NAMES.get(name, name): value for name, value in asdict(self).items() if name != "path"}
        write_json(self.path, document, durable=True)

    def finish(self, stage: str) -> None:
        """Keep that a stage is done."""
        self.done.append(stage)
        self.save()

    def end(self, status: Status, detail: str = "") -> None:
        """Keep how this try ended; no address in the detail carries credentials."""
        self.status = status
        self.detail = " ".join(without_userinfo(detail).split())[:MAX_DETAIL]
        self.save()
