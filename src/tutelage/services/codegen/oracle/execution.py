"""Does it compute? Runs programs on the adapter of this machine, software or real, under a time limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tutelage.core.errors import MissingDependency
from tutelage.services.codegen.data.signature import Floats
from tutelage.services.codegen.oracle.adapter import INSTALL
from tutelage.services.codegen.oracle.framing import Frame
from tutelage.services.codegen.oracle.launch import Launch
from tutelage.services.codegen.oracle.naga_messages import messages_of
from tutelage.services.codegen.oracle.prechecks import precheck
from tutelage.services.codegen.oracle.supervised import Lost, SupervisedProcess

MODULE = "tutelage.services.codegen.oracle.execution_process"
TIMEOUT_S = 10.0
"""For one program; the loops of honest ones end in milliseconds."""

BATCH = 16
"""Programs of one message."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What running a program gave: its outputs, or why there are none."""

    status: Literal["ran", "refused", "timed_out", "crashed"]
    outputs: Mapping[str, Floats]
    reason: str = ""


class Executor:
    """Runs programs in a process of its own; one that hangs or crashes it costs its time limit and harms no other."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._process = SupervisedProcess(MODULE)
        self._adapter = ""

    @property
    def adapter(self) -> str:
        """The adapter's name and whether it is software; "" before anything ran."""
        return self._adapter

    def run(self, launches: Sequence[Launch]) -> list[Outcome]:
        """Run each program once. Raises MissingDependency where this machine has no adapter."""
        outcomes: list[Outcome] = []
        for first in range(0, len(launches), BATCH):
            outcomes += self._batch(launches[first : first + BATCH])
        return outcomes

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def _batch(self, launches: Sequence[Launch]) -> list[Outcome]:
        refused = {index: _refusal(launch) for index, launch in enumerate(launches)}
        sound = [launch for index, launch in enumerate(launches) if refused[index] is None]
        ran = iter(self._together(sound))
        return [outcome if outcome is not None else next(ran) for outcome in refused.values()]

    def _together(self, launches: Sequence[Launch]) -> list[Outcome]:
        """Ask for all at once; where that loses the process, each alone, so that the guilty one is known."""
        if not launches:
            return []
        answer = self._process.ask(_frame(launches), timeout_s=self._timeout_s)
        if not isinstance(answer, Lost):
            self._adapter = str(answer.header["adapter"])
            return _outcomes(launches, answer)
        if "MissingDependency" in answer.reason:
            raise MissingDependency(answer.reason.rpartition("MissingDependency: ")[2], hint=INSTALL)
        if len(launches) == 1:
            return [_lost(answer, self._timeout_s)]
        return [outcome for launch in launches for outcome in self._together([launch])]


def _refusal(launch: Launch) -> Outcome | None:
    found = precheck(launch.code, function=launch.entry_point)
    return Outcome(status="refused", outputs={}, reason=found[0].text) if found else None


def _frame(launches: Sequence[Launch]) -> Frame:
    documents = [_document(launch) for launch in launches]
    arrays = [r.values for launch in launches for r in launch.resources if r.values is not None]
    return Frame(header={"launches": documents}, arrays=arrays)


def _document(launch: Launch) -> dict[str, Any]:
    resources = [
        {"group": r.group, "index": r.index, "kind": r.kind, "num_floats": r.num_floats} for r in launch.resources
    ]
    return {
        "code": launch.code,
        "entry_point": launch.entry_point,
        "num_workgroups": launch.num_workgroups,
        "resources": resources,
    }


def _outcomes(launches: Sequence[Launch], answer: Frame) -> list[Outcome]:
    outcomes, at = [], 0
    for launch, one in zip(launches, answer.header["answers"], strict=True):
        if one["error"]:
            outcomes.append(Outcome(status="refused", outputs={}, reason=messages_of(one["error"])[0].text))
            continue
        arrays = answer.arrays[at : at + one["num_outputs"]]
        at += one["num_outputs"]
        outputs = {output.name: output.shaped(flat) for output, flat in zip(launch.outputs, arrays, strict=True)}
        outcomes.append(Outcome(status="ran", outputs=outputs))
    return outcomes


def _lost(lost: Lost, timeout_s: float) -> Outcome:
    if lost.how == "timed_out":
        reason = f"the program did not end within {timeout_s:g} s: is there a loop without an end?"
        return Outcome(status="timed_out", outputs={}, reason=reason)
    return Outcome(status="crashed", outputs={}, reason=lost.reason)
