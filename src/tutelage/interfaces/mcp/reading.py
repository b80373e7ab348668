"""Tools that look and change nothing."""

from __future__ import annotations

import functools
import time
from typing import Annotated, Any, Literal

import anyio.to_thread
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from tutelage.core import wire
from tutelage.core.errors import TutelageError
from tutelage.core.operation import ENDED, State
from tutelage.interfaces.mcp import answers, sentences
from tutelage.interfaces.mcp.access import Access
from tutelage.interfaces.mcp.bounds import BRIEF_BYTES, FULL_BYTES, bounded
from tutelage.interfaces.mcp.errors import text_of
from tutelage.interfaces.mcp.settings_table import settings_table

Detail = Annotated[Literal["brief", "full"], Field(description="brief: at most 8 kB; full: at most 30 kB")]
Operation = Annotated[str, Field(description="an operation's id, a unique part of it, or `last`", max_length=64)]
MAX_POINTS = 400
SLICE_S = 5.0
"""Seconds between two notes of progress while a tool waits."""


class ReadingTools:
    """The tools, over one access."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def list_services(self, name: str | None = None, detail: Detail = "brief") -> answers.ServicesAnswer:
        """What can be trained, with which settings.

        Use first, to learn a service's settings, metrics and tunables (give `name`). Not for runs: list_operations.
        Example: {"name": "tabular"}. Next: start_training with dry_run true.
        """
        listed = self._access.platform.services().items
        rows = [_service_row(item) for item in listed]
        if name is None:
            names = ", ".join(item.name for item in listed)
            return bounded(answers.ServicesAnswer(summary=f"{len(rows)} services: {names}.", services=rows))
        info = self._access.platform.service(name)
        schema = info.config_schema or {}
        answer = answers.ServicesAnswer(
            summary=f"{info.name} {info.about}; a step of the operation is one {info.unit}.",
            services=[row for row in rows if row.name == info.name],
            tunables=info.tunables,
            supports=info.supports,
            metrics={item.name: sentences.metric(item) for item in info.metrics},
            settings=settings_table(schema),
            presets=info.presets,
            config_schema=schema if detail == "full" else None,
        )
        return bounded(answer, limit=_limit(detail))

    def list_operations(
        self,
        state: State | None = None,
        service: str | None = None,
        tag: Annotated[str | None, Field(description="key or key=value")] = None,
        text: Annotated[str | None, Field(description="part of a name")] = None,
        limit: Annotated[int, Field(ge=1, le=50)] = 10,
        cursor: str | None = None,
    ) -> answers.OperationsAnswer:
        """Runs, those that need somebody first, then the newest.

        Use to find an operation's id, or what needs attention. Not for figures of one run: get_operation.
        Example: {"state": "running"}. Next: get_operation, wait_operation.
        """
        page = self._access.platform.operations(
            state=state, service=service, tag=tag, text=text, limit=limit, cursor=cursor
        )
        needing = sum(item.attention for item in page.items)
        counts = ", ".join(f"{count} {name}" for name, count in page.counts.items() if count) or "none"
        return bounded(
            answers.OperationsAnswer(
                summary=f"Operations: {counts}. {needing} of the {len(page.items)} shown need somebody.",
                operations=[_operation_row(item) for item in page.items],
                counts=page.counts,
                next_cursor=page.next_cursor,
            )
        )

    def get_operation(
        self,
        operation: Operation,
        detail: Detail = "brief",
        lineage: Annotated[bool, Field(description="also ancestors and descendants")] = False,
    ) -> answers.OperationAnswer:
        """One run: state, progress, verdict with its evidence, what may be asked of it, result or error.

        Use to see how a run stands. Not in a loop: wait_operation wakes you when something changes.
        Example: {"operation": "last"}. Next: what the assessment recommends; get_metrics for curves.
        """
        platform, found = self._access.platform, self._access.find(operation)
        seen = platform.operation(found)
        wants_log = seen.error is not None or detail == "full"
        answer = answers.OperationAnswer(
            summary=sentences.operation(seen),
            operation=seen,
            log=platform.logs(found, limit=12 if detail == "brief" else 60).lines if wants_log else [],
            artifacts=[item.name for item in platform.artifacts(found)],
            lineage=platform.lineage(found) if lineage else None,
        )
        return bounded(answer, limit=_limit(detail))

    async def wait_operation(
        self,
        operation: Operation,
        context: Context[Any, Any],
        until: Annotated[
            str,
            Field(
                description="verdict_change, phase, eval, terminal, step>=N, METRIC<x or METRIC>x (of scope '')",
                max_length=100,
            ),
        ] = "verdict_change",
        timeout_s: Annotated[float, Field(ge=0, le=600, description="seconds")] = 50.0,
    ) -> answers.WaitAnswer:
        """Sleep until something meaningful happens to a run, then say how it stands.

        Use instead of asking again and again; ended runs answer at once. `reached` false means the time was over or
        it cannot come any more. Example: {"operation": "last", "until": "terminal", "timeout_s": 300}.
        Next: act on the assessment (control_operation, tune_operation, branch_operation), or wait again.
        """
        waits = functools.partial(self._wait, operation, until)
        deadline_s = time.monotonic() + timeout_s
        try:
            while True:
                left_s = max(0.0, deadline_s - time.monotonic())
                waited = await anyio.to_thread.run_sync(waits, min(SLICE_S, left_s), abandon_on_cancel=True)
                seen = waited.operation
                if waited.reached or seen.state in ENDED or seen.state is State.PAUSED or left_s <= SLICE_S:
                    break
                await context.report_progress(
                    timeout_s - left_s, timeout_s, message=f"{seen.state}, {seen.phase}: {seen.progress.message}"[:200]
                )
        except TutelageError as error:
            raise ToolError(text_of(error)) from error
        came = "It came" if waited.reached else "It did not come"
        return bounded(
            answers.WaitAnswer(
                summary=f"{came}: {until}. {sentences.operation(seen)}",
                reached=waited.reached,
                until=until,
                operation=seen,
            )
        )

    def get_metrics(
        self,
        operation: Operation,
        scope: Annotated[str, Field(description="'' the operation, or such as trial=12/fold=3, final, system")] = "",
        keys: Annotated[list[str] | None, Field(description="metrics; default all of the scope")] = None,
        points: Annotated[int, Field(ge=2, le=MAX_POINTS, description="rows, about")] = 40,
        from_step: int | None = None,
        to_step: int | None = None,
        since: Annotated[str | None, Field(description="next_cursor of an earlier answer")] = None,
        detail: Detail = "brief",
    ) -> answers.MetricsAnswer:
        """Curves: the metrics of one scope by step, down-sampled with minima and maxima kept.

        Use to look at a curve yourself; the verdict of get_operation already reads it for you.
        Example: {"operation": "last", "scope": "final", "keys": ["val_logloss"]}. Next: a narrower range of steps.
        """
        found = self._access.find(operation)
        while True:
            history = self._access.platform.metrics(
                found,
                scope=scope,
                keys=tuple(keys or ()),
                points=points,
                from_step=from_step,
                to_step=to_step,
                since=since,
            )
            answer = _metrics_answer(history)
            if points <= 4 or len(answer.model_dump_json()) <= _limit(detail):
                return bounded(answer, limit=_limit(detail))
            points = points * 2 // 3

    def compare_operations(
        self, operations: Annotated[list[Operation], Field(min_length=2, max_length=10)]
    ) -> answers.CompareAnswer:
        """Runs side by side: best and latest figures, wall time, the settings that differ.

        Use to choose between runs. Example: {"operations": ["op_a...", "op_b..."]}.
        Next: use_model with the winner, or branch_operation from it.
        """
        comparison = self._access.platform.compare(tuple(self._access.find(item) for item in operations))
        return bounded(answers.CompareAnswer(summary=comparison.sentence, comparison=comparison))

    def get_decisions(
        self,
        operation: Annotated[str | None, Field(description="an operation; default all", max_length=64)] = None,
        limit: Annotated[int, Field(ge=1, le=100)] = 10,
        detail: Detail = "brief",
    ) -> answers.DecisionsAnswer:
        """The ledger: who asked for what, why, on which evidence, when it took effect, what followed.

        Use to learn what was done before, by whom, and whether it helped. Example: {"operation": "last"}.
        Next: get_operation.
        """
        found = self._access.find(operation) if operation else None
        decisions = self._access.platform.decisions(found)
        newest = decisions[-limit:]
        answer = answers.DecisionsAnswer(
            summary=f"{len(decisions)} decisions; the newest {len(newest)} are shown.",
            decisions=newest,
            num_decisions=len(decisions),
        )
        return bounded(answer, limit=_limit(detail))

    def _wait(self, operation: str, until: str, timeout_s: float) -> wire.WaitResult:
        return self._access.platform.wait(self._access.find(operation), until=until, timeout_s=timeout_s)


def _limit(detail: str) -> int:
    return FULL_BYTES if detail == "full" else BRIEF_BYTES


def _service_row(info: wire.ServiceInfo) -> answers.ServiceRow:
    return answers.ServiceRow(
        name=info.name, about=info.about, available=info.available, missing=info.missing, presets=list(info.presets)
    )


def _operation_row(operation: wire.Operation) -> answers.OperationRow:
    assessment = operation.assessment
    return answers.OperationRow(
        id=operation.id,
        service=operation.service,
        name=operation.name,
        state=operation.state,
        verdict=assessment.verdict if assessment else None,
        sentence=assessment.sentence if assessment else "",
        best=operation.metrics.best,
        fraction=operation.progress.fraction,
        attention=operation.attention,
        created_at=operation.created_at,
    )


def _metrics_answer(history: wire.MetricHistory) -> answers.MetricsAnswer:
    rows = [[step, *(history.values[key][index] for key in history.keys)] for index, step in enumerate(history.steps)]
    ends = f", steps {history.steps[0]} to {history.steps[-1]}" if history.steps else ""
    how = " (down-sampled)" if history.truncated else ""
    return answers.MetricsAnswer(
        summary=f"{len(rows)} rows{how} of {len(history.keys)} metrics{ends}.",
        operation=history.operation,
        scope=history.scope,
        unit=history.unit,
        columns=["step", *history.keys],
        rows=rows,
        total=history.total,
        truncated=history.truncated,
        next_cursor=history.next_cursor,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
