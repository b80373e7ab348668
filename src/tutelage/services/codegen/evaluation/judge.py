"""The oracles as the evaluation takes them: Tint and naga must both accept, the adapter must compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tutelage.services.codegen.data.signature import Floats
from tutelage.services.codegen.evaluation.scoring import Execution
from tutelage.services.codegen.oracle.base import Oracle
from tutelage.services.codegen.oracle.execution import Executor
from tutelage.services.codegen.oracle.launch import launch_of


class Judge:
    """Compiles by every oracle given, and runs by the executor."""

    def __init__(self, oracles: Sequence[Oracle], executor: Executor) -> None:
        self._oracles, self._executor = tuple(oracles), executor

    def compiles(self, codes: Sequence[str]) -> list[bool]:
        """Say of each code whether all oracles accept it; an empty one is refused."""
        return [bool(code.strip()) and all(oracle.check(code).ok for oracle in self._oracles) for code in codes]

    def execute(self, runs: Sequence[Execution]) -> list[Mapping[str, Floats] | None]:
        """Return the outputs of each program; None of one that was refused, hung or crashed."""
        launches = [launch_of(run.code, run.signature, run.inputs) for run in runs]
        return [found.outputs if found.status == "ran" else None for found in self._executor.run(launches)]
