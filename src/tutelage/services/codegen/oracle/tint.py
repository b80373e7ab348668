"""Tint, the WGSL compiler of Chrome, in this process: Dawn's null backend needs neither driver nor GPU."""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import threading
from typing import Any

from tutelage.core.errors import MissingDependency
from tutelage.services.codegen.oracle.prechecks import precheck
from tutelage.services.codegen.oracle.verdict import Message, Verdict, refusal

INSTALL = "install the shader oracles: pip install 'tutelage[oracle]'"
SEVERITIES = {"Error": "error", "Warning": "warning", "Info": "note"}


class TintOracle:
    """Judges with Tint: 0.2 to 0.6 ms a small shader. One thread at a time is let in."""

    name = "tint"

    def __init__(self) -> None:
        self._dawn = _Dawn()
        self._lock = threading.Lock()
        self.version = importlib.metadata.version("dawn-python")

    def check(self, code: str, *, function: str | None = None) -> Verdict:
        """Tell whether Tint accepts the shader; `function` must be declared where it is named."""
        if refused := precheck(code, function=function):
            return refusal(refused, oracle=self.name, version=self.version)
        with self._lock:
            messages = self._dawn.compile(code)
        is_ok = not any(message.severity == "error" for message in messages)
        return Verdict(ok=is_ok, messages=messages, oracle=self.name, version=self.version)

    def close(self) -> None:
        """Nothing to let go of: the null device holds no resources."""


class _Dawn:
    """The few calls of Dawn that compiling takes.

    `pydawn.utils.create_shader_module` is not among them: it counts characters where bytes are meant, so that any
    text beyond ASCII loses its end, and it never releases a module.
    """

    def __init__(self) -> None:
        try:
            self._utils: Any = importlib.import_module("pydawn.utils")
            self._api: Any = importlib.import_module("pydawn.webgpu")
        except (ImportError, OSError) as error:
            raise MissingDependency(f"Tint is not installed here: {error}", hint=INSTALL) from error
        adapter = self._null_adapter()
        self._device = self._utils.request_device_sync(adapter, [self._api.WGPUFeatureName_ShaderF16])

    def compile(self, code: str) -> tuple[Message, ...]:
        """Return what Tint says about the text, errors first as it orders them."""
        api = self._api
        api.wgpuDevicePushErrorScope(self._device, api.WGPUErrorFilter_Validation)
        module = self._create(code.encode())
        error = self._utils.pop_error(self._device)
        messages = self._messages(module, code.splitlines(keepends=True))
        api.wgpuShaderModuleRelease(module)
        if error and not any(message.severity == "error" for message in messages):
            messages = (*messages, Message(text=str(error)))
        return messages

    def _create(self, encoded: bytes) -> Any:
        api = self._api
        text = ctypes.create_string_buffer(encoded, len(encoded))
        shader = api.WGPUShaderModuleWGSLDescriptor()
        shader.code.data = ctypes.cast(text, type(shader.code.data))
        shader.code.length = len(encoded)
        shader.chain.next = None
        shader.chain.sType = api.WGPUSType_ShaderSourceWGSL
        module = api.WGPUShaderModuleDescriptor()
        module.nextInChain = ctypes.cast(ctypes.pointer(shader), ctypes.POINTER(api.struct_WGPUChainedStruct))
        return api.wgpuDeviceCreateShaderModule(self._device, module)

    def _messages(self, module: Any, lines: list[str]) -> tuple[Message, ...]:
        api, found = self._api, []

        def take(status: int, info: Any, *_: Any) -> None:
            for index in range(info.contents.messageCount if info else 0):
                found.append(self._message(info.contents.messages[index], lines))

        asked = api.WGPUCompilationInfoCallbackInfo2()
        asked.nextInChain = None
        asked.mode = api.WGPUCallbackMode_WaitAnyOnly
        asked.callback = api.WGPUCompilationInfoCallback2(take)
        self._utils.wait(api.wgpuShaderModuleGetCompilationInfo2(module, asked))
        return tuple(found)

    def _message(self, raw: Any, lines: list[str]) -> Message:
        line, column = int(raw.lineNum), int(raw.linePos)
        if 0 < line <= len(lines):  # Dawn counts bytes
            column = len(lines[line - 1].encode()[: column - 1].decode(errors="ignore")) + 1
        kind = self._api.WGPUCompilationMessageType__enumvalues[raw.type].rpartition("_")[2]
        text = self._utils.from_wgpu_str(raw.message)
        where = {"line": line, "column": column} if line else {}
        return Message(text=text, severity=SEVERITIES.get(kind, "error"), **where)  # type: ignore[arg-type]

    def _null_adapter(self) -> Any:
        api, utils = self._api, self._utils
        found: list[Any] = []

        def take(status: int, adapter: Any, message: Any, _: Any) -> None:
            found.append(adapter if status == api.WGPURequestAdapterStatus_Success else utils.from_wgpu_str(message))

        asked = api.WGPURequestAdapterCallbackInfo()
        asked.nextInChain = None
        asked.mode = api.WGPUCallbackMode_WaitAnyOnly
        asked.callback = api.WGPURequestAdapterCallback(take)
        options = api.WGPURequestAdapterOptions()
        options.backendType = api.WGPUBackendType_Null
        utils.wait(api.wgpuInstanceRequestAdapterF(utils.instance, options, asked))
        if not found or isinstance(found[0], str):
            raise MissingDependency(f"Dawn gives no null adapter: {found}", hint=INSTALL)
        return found[0]
