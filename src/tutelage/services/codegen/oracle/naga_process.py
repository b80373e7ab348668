"""`python -m ...naga_process`: compiles shaders with naga, in a process that it may take down."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tutelage.services.codegen.oracle.adapter import find_adapter
from tutelage.services.codegen.oracle.framing import Frame
from tutelage.services.codegen.oracle.served import serve


def open_naga() -> Callable[[Frame], Frame]:
    """Open a device, and return what compiles the shader of a message."""
    adapter = find_adapter()
    device = adapter.handle.request_device_sync(required_features=["shader-f16"] if adapter.has_f16 else [])

    def answer(frame: Frame) -> Frame:
        try:
            device.create_shader_module(code=frame.header["code"])
        except Exception as error:  # noqa: BLE001 - a process edge: whatever the compiler raises is its answer
            return Frame(header={"ok": False, "report": str(error)})
        return Frame(header={"ok": True, "report": ""})

    return answer


if __name__ == "__main__":
    sys.exit(serve(open_naga))
