"""naga, the WGSL compiler of Firefox and wgpu, in a process of its own: deep nesting overflows its stack."""

from __future__ import annotations

import importlib.metadata

from tutelage.core.errors import MissingDependency
from tutelage.services.codegen.oracle.adapter import INSTALL
from tutelage.services.codegen.oracle.framing import Frame
from tutelage.services.codegen.oracle.naga_messages import messages_of
from tutelage.services.codegen.oracle.prechecks import precheck
from tutelage.services.codegen.oracle.supervised import Lost, SupervisedProcess
from tutelage.services.codegen.oracle.verdict import Message, Verdict, refusal

MODULE = "tutelage.services.codegen.oracle.naga_process"
TIMEOUT_S = 20.0


class NagaOracle:
    """Judges with naga: 0.2 to 0.5 ms a small shader, the pipe included. A shader that kills its process is refused."""

    name = "naga"

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._process = SupervisedProcess(MODULE)
        self.version = _version()

    def check(self, code: str, *, function: str | None = None) -> Verdict:
        """Tell whether naga accepts the shader; `function` must be declared where it is named."""
        if refused := precheck(code, function=function):
            return refusal(refused, oracle=self.name, version=self.version)
        answer = self._process.ask(Frame(header={"code": code}), timeout_s=self._timeout_s)
        if isinstance(answer, Lost):
            return self._lost(answer)
        messages = () if answer.header["ok"] else messages_of(str(answer.header["report"]))
        return Verdict(ok=bool(answer.header["ok"]), messages=messages, oracle=self.name, version=self.version)

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def _lost(self, lost: Lost) -> Verdict:
        if "MissingDependency" in lost.reason:
            raise MissingDependency(lost.reason.rpartition("MissingDependency: ")[2], hint=INSTALL)
        text = f"naga could not take this shader: {lost.reason}; simplify it"
        return refusal([Message(text=text)], oracle=self.name, version=self.version)


def _version() -> str:
    try:
        return importlib.metadata.version("wgpu")
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingDependency("wgpu is not installed here", hint=INSTALL) from error
