"""The other end of `supervised`: a process that answers messages until its parent is gone."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Callable

from tutelage.services.codegen.oracle.framing import Frame, packed, read_frame

PARENT_CHECK_S = 1.0


def serve(open_service: Callable[[], Callable[[Frame], Frame]]) -> int:
    """Greet, then answer each message with what the opened service says, until the pipe closes.

    Native libraries print where they like, so standard output is kept for messages alone. The arguments are the
    parent's process id and the bytes of data allowed.
    """
    parent, memory_bytes = int(sys.argv[1]), int(sys.argv[2])
    _, allowed = resource.getrlimit(resource.RLIMIT_DATA)  # not the address space: drivers of GPUs reserve plenty of it
    bound = memory_bytes if allowed == resource.RLIM_INFINITY else min(memory_bytes, allowed)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, allowed))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    answer = open_service()
    _send(out, Frame(header={"ready": True}))
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        _send(out, answer(frame))
    return 0


def _send(out: object, frame: Frame) -> None:
    view = memoryview(packed(frame))
    while view:
        view = view[os.write(out.fileno(), view) :]  # type: ignore[attr-defined]


def _leave_with(parent: int) -> None:
    """End when the parent is gone, even in the middle of a shader that never ends."""
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_S)
    os._exit(1)
