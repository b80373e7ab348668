"""Who a process is, beyond its number: pid, start time and boot, so that a reused pid is never taken for it."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True, kw_only=True)
class ProcessId:
    """A process that can be found again after a restart of ours."""

    pid: int
    started: float
    boot: str

    def document(self) -> dict[str, Any]:
        """Return the identity as JSON."""
        return {"pid": self.pid, "started": self.started, "boot": self.boot}

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """Return the identity of a running process, or None where there is none."""
        started = start_time(pid)
        return None if started is None else cls(pid=pid, started=started, boot=boot_id())

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> ProcessId:
        """Read what `document` wrote."""
        return cls(pid=int(document["pid"]), started=float(document["started"]), boot=str(document["boot"]))

    def is_alive(self) -> bool:
        """Tell whether this very process runs; a zombie does not."""
        return self.boot == boot_id() and start_time(self.pid) == self.started

    def signal_group(self, number: signal.Signals) -> None:
        """Signal the process group that this process leads."""
        if self.boot == boot_id():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def rss_mib(self) -> float:
        """Return the resident memory of the process and its children, MiB; 0 when it is gone."""
        try:
            process = psutil.Process(self.pid)
            family = [process, *process.children(recursive=True)]
        except psutil.Error:
            return 0.0
        total = 0
        for member in family:
            with contextlib.suppress(psutil.Error):
                total += member.memory_info().rss
        return total / 2**20


def start_time(pid: int) -> float | None:
    """Return the start of a live process in clock ticks since boot (elsewhere: epoch seconds), or None."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        try:
            process = psutil.Process(pid)
            return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
        except psutil.Error:
            return None
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else float(fields[19])


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Return what names the machine's present boot."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return str(int(psutil.boot_time()))
