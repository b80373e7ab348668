"""CPU and memory of the worker and its children, every five seconds, in the scope `system`."""

from __future__ import annotations

import contextlib
import time

import psutil

from tutelage.core.ids import created_at_s
from tutelage.run import FileRun

EVERY_S = 5.0


def sample_system(run: FileRun) -> None:
    """Report `sys_cpu_pct` (100 = one core) and `sys_rss_mib` until the process ends; steps are seconds of the run."""
    reporter, process = run.scope("system"), psutil.Process()
    born = created_at_s(run.id)
    before_s, before_cpu_s = time.monotonic(), _cpu_s(process)
    pause_s = 1.0
    while True:
        time.sleep(pause_s)
        pause_s = EVERY_S
        now_s, cpu_s = time.monotonic(), _cpu_s(process)
        values = {
            "sys_cpu_pct": round(100 * max(0.0, cpu_s - before_cpu_s) / (now_s - before_s), 1),
            "sys_rss_mib": round(_rss_mib(process), 1),
        }
        reporter.metric(int(time.time() - born), values)
        before_s, before_cpu_s = now_s, cpu_s


def _family(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return [process, *process.children(recursive=True)]
    return [process]


def _cpu_s(process: psutil.Process) -> float:
    total = 0.0
    for member in _family(process):
        with contextlib.suppress(psutil.Error):
            times = member.cpu_times()
            total += times.user + times.system
    return total


def _rss_mib(process: psutil.Process) -> float:
    total = 0
    for member in _family(process):
        with contextlib.suppress(psutil.Error):
            total += member.memory_info().rss
    return total / 2**20
