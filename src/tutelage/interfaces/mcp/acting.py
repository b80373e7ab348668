"""Tools that change something: each needs a reason, lands in the ledger, and may be repeated with its key."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from tutelage.core import wire
from tutelage.core.commands import Verb
from tutelage.core.errors import InvalidSpec
from tutelage.interfaces.mcp import answers, sentences
from tutelage.interfaces.mcp.access import Access
from tutelage.interfaces.mcp.bounds import bounded
from tutelage.interfaces.mcp.reading import Operation

Reason = Annotated[
    str, Field(min_length=1, max_length=2000, description="why; kept in the ledger, of a start in its notes")
]
Key = Annotated[str | None, Field(description="repeating a call with its key does it once", max_length=200)]


class ActingTools:
    """The tools, over one access."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def start_training(
        self,
        spec: Annotated[dict[str, JsonValue], Field(description="the spec: service, name, config, seed, resources")],
        reason: Reason,
        dry_run: Annotated[bool, Field(description="validate and look at the data; start nothing")] = False,
        inspect: Annotated[
            dict[str, JsonValue] | None,
            Field(description="with dry_run: data to look at, as {dataPath, targetColumn} for tabular"),
        ] = None,
        idempotency_key: Key = None,
    ) -> answers.StartAnswer:
        """Start a training, or with dry_run say what it would be.

        Use when the spec is known; list_services tells a service's settings. Not to continue an old run:
        branch_operation. Example: {"spec": {"service": "tabular", "config": {"trainDataPath": "churn.csv",
        "targetColumn": "Churn"}}, "reason": "first baseline", "dry_run": true}.
        Next: wait_operation with the id.
        """
        document = self._access.absolute(spec)
        if dry_run:
            return bounded(self._dry_run(document, inspect))
        if inspect is not None:
            raise InvalidSpec("'inspect' has no meaning without dry_run", hint="set dry_run to true, or leave it out")
        principal = self._access.principal()
        platform = self._access.platform
        started = platform.submit(document, principal=principal, idempotency_key=idempotency_key)
        started = platform.update(started.id, wire.OperationPatch(notes=reason))
        return bounded(answers.StartAnswer(summary=f"Started: {sentences.operation(started)}", operation=started))

    def control_operation(
        self,
        operation: Operation,
        verb: Literal["pause", "resume", "stop", "cancel", "checkpoint", "approve", "reject"],
        reason: Reason,
        idempotency_key: Key = None,
    ) -> answers.DecisionAnswer:
        """Pause, resume, stop, cancel, checkpoint, approve or reject a run.

        stop finishes early and well (best kept, evaluated, completed); cancel abandons; pause frees the machine.
        `commands` of get_operation says what is legal now. Example: {"operation": "last", "verb": "stop",
        "reason": "overfitting since round 180"}. Next: wait_operation until terminal.
        """
        return self._command(operation, Verb(verb), {}, reason, idempotency_key)

    def tune_operation(
        self,
        operation: Operation,
        values: Annotated[dict[str, JsonValue], Field(min_length=1, description="tunable -> new value")],
        reason: Reason,
        idempotency_key: Key = None,
    ) -> answers.DecisionAnswer:
        """Change settings of a run while it runs.

        Only the service's tunables (list_services); for anything else branch_operation.
        Example: {"operation": "last", "values": {"n_trials": 20}, "reason": "no gain since trial 8"}.
        Next: wait_operation until eval; get_decisions shows the step at which it took effect.
        """
        return self._command(operation, Verb.TUNE, dict(values), reason, idempotency_key)

    def branch_operation(
        self,
        operation: Operation,
        reason: Reason,
        checkpoint: Annotated[str, Field(description="best, last, or a step")] = "best",
        changes: Annotated[
            dict[str, JsonValue] | None, Field(description="settings that differ, as dotted keys of the config")
        ] = None,
        name: Annotated[str | None, Field(max_length=120)] = None,
        idempotency_key: Key = None,
    ) -> answers.DecisionAnswer:
        """Start a new run from a checkpoint of this one, with other settings.

        Use to try something else from the best point without losing the run. Example: {"operation": "last",
        "checkpoint": "best", "changes": {"hyperparameterSearch.nTrials": 60}, "reason": "still improving"}.
        Next: wait_operation with the id in decision.created; compare_operations at the end.
        """
        args: dict[str, JsonValue] = {"from": int(checkpoint) if checkpoint.isdecimal() else checkpoint}
        args.update({"set": dict(changes)} if changes else {})
        args.update({"name": name} if name else {})
        return self._command(operation, Verb.BRANCH, args, reason, idempotency_key)

    def use_model(
        self,
        operation: Operation,
        data: Annotated[
            dict[str, JsonValue], Field(description="the service's request, as {rows: [{column: value}]} for tabular")
        ],
    ) -> answers.UseAnswer:
        """Ask a finished model: predict, generate or act, as its service does.

        Only completed operations. Example: {"operation": "last", "data": {"rows": [{"age": 42}]}}.
        Next: compare_operations to see whether another is better.
        """
        found = self._access.find(operation)
        said = self._access.platform.use(found, wire.UseRequest(data=self._access.absolute(data)))
        return bounded(
            answers.UseAnswer(
                summary=f"{found} answered in {said.latency_ms:.0f} ms.",
                operation=said.operation,
                data=said.data,
                latency_ms=said.latency_ms,
            )
        )

    def _dry_run(self, document: dict[str, Any], inspect: dict[str, JsonValue] | None) -> answers.StartAnswer:
        planned = self._access.platform.dry_run(document)
        seen = None
        if inspect is not None:
            request = wire.InspectRequest(service=planned.service, data=self._access.absolute(inspect))
            seen = self._access.platform.inspect(request).data
        warned = f" {len(planned.warnings)} warnings." if planned.warnings else ""
        looked = " The data were looked at." if seen is not None else ""
        summary = f"Valid: {planned.service} would start; nothing was started.{warned}{looked}"
        return answers.StartAnswer(summary=summary, dry_run=planned, inspection=seen)

    def _command(
        self, operation: str, verb: Verb, args: dict[str, Any], reason: str, key: str | None
    ) -> answers.DecisionAnswer:
        request = wire.CommandRequest(verb=verb, args=args, reason=reason)
        decision = self._access.platform.command(
            self._access.find(operation), request, principal=self._access.principal(), idempotency_key=key
        )
        made = f" It started {decision.created}." if decision.created else ""
        return bounded(
            answers.DecisionAnswer(
                summary=f"{verb} is {decision.status}: recorded as {decision.id}.{made}", decision=decision
            )
        )
