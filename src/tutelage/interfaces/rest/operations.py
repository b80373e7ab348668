"""Routes of operations: submit, list, show, rename, remove, command, use."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel, Field

from tutelage.core import wire
from tutelage.interfaces.rest.context import Asker, IdempotencyKey, PlatformHere

router = APIRouter()
EXAMPLE = {
    "service": "tabular",
    "name": "wine",
    "config": {"modelType": "classification", "algorithm": "lightgbm", "trainDataPath": "sklearn:wine"},
}


class Decisions(BaseModel):
    """The ledger, oldest first."""

    items: list[wire.Decision]


class GcRequest(BaseModel):
    """What `gc` may remove."""

    older_than_s: float = Field(30 * 24 * 3600, ge=0, description="age since the end, seconds")
    dry_run: bool = Field(False, description="only report")


@router.post("/operations", status_code=202, responses={200: {"model": wire.DryRun}})
def submit(
    platform: PlatformHere,
    asker: Asker,
    response: Response,
    document: Annotated[dict[str, Any], Body(examples=[EXAMPLE])],
    idempotency_key: IdempotencyKey = None,
    dry_run: bool = False,
) -> wire.Operation | wire.DryRun:
    """Queue the operation that a document asks for; with `dry_run` only validate it."""
    if dry_run:
        response.status_code = 200
        return platform.dry_run(document)
    operation = platform.submit(document, principal=asker, idempotency_key=idempotency_key)
    response.headers["Location"] = f"/api/v1/operations/{operation.id}"
    return operation


@router.get("/operations")
def operations(
    platform: PlatformHere,
    state: str | None = None,
    service: str | None = None,
    tag: str | None = None,
    text: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
    spark: Annotated[int, Query(ge=0, le=500)] = 0,
) -> wire.OperationPage:
    """List operations, those that need somebody first, then newest first."""
    return platform.operations(
        state=state, service=service, tag=tag, text=text, cursor=cursor, limit=limit, spark=spark
    )


@router.get("/operations/{operation_id}")
def operation(
    platform: PlatformHere, operation_id: str, spark: Annotated[int, Query(ge=0, le=500)] = 0
) -> wire.Operation:
    """Return one operation."""
    return platform.operation(operation_id, spark=spark)


@router.patch("/operations/{operation_id}")
def update(platform: PlatformHere, operation_id: str, patch: wire.OperationPatch) -> wire.Operation:
    """Change name, notes or tags."""
    return platform.update(operation_id, patch)


@router.delete("/operations/{operation_id}", status_code=204)
def delete(platform: PlatformHere, operation_id: str) -> None:
    """Remove an ended operation; its ledger stays."""
    platform.delete(operation_id)


@router.post("/operations/{operation_id}/commands", status_code=202)
def command(
    platform: PlatformHere,
    asker: Asker,
    operation_id: str,
    request: wire.CommandRequest,
    idempotency_key: IdempotencyKey = None,
) -> wire.Decision:
    """Pause, resume, stop, cancel, checkpoint, tune, branch, approve or reject."""
    return platform.command(operation_id, request, principal=asker, idempotency_key=idempotency_key)


@router.get("/operations/{operation_id}/decisions")
def decisions_of(platform: PlatformHere, operation_id: str) -> Decisions:
    """Return an operation's decisions."""
    return Decisions(items=platform.decisions(operation_id))


@router.get("/decisions")
def decisions(platform: PlatformHere) -> Decisions:
    """Return the decisions of all operations."""
    return Decisions(items=platform.decisions())


@router.get("/decisions/verify")
def verify(platform: PlatformHere) -> wire.LedgerState:
    """Check the ledger's hash chain."""
    return platform.verify_ledger()


@router.post("/operations/{operation_id}/use")
def use(platform: PlatformHere, operation_id: str, request: wire.UseRequest) -> wire.UseAnswer:
    """Ask a finished model."""
    return platform.use(operation_id, request)


@router.post("/gc")
def gc(platform: PlatformHere, request: GcRequest) -> wire.GcReport:
    """Remove what ended long ago and nobody needs."""
    return platform.gc(older_than_s=request.older_than_s, dry_run=request.dry_run)
