"""What an attempt runs on: packages, git, machine; written to `environment.json`."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from tutelage import __version__
from tutelage.core.atomic import write_json

MAX_DIFF = 200_000


def write_environment(path: Path) -> None:
    """Write the environment of this process."""
    document = {
        "tutelage": __version__,
        "python": platform.python_version(),
        "packages": {item.name: item.version for item in importlib.metadata.distributions()},
        "argv": sys.argv,
        "git": git_state(Path.cwd()),
        "host": platform.node(),
        "platform": platform.platform(),
        "cpu": {"count": os.cpu_count(), "model": _cpu_model()},
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": gpus(),
        "threads": {name: value for name, value in os.environ.items() if name.endswith("_NUM_THREADS")},
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY"),
    }
    write_json(path, document)


def git_state(folder: Path) -> dict[str, Any] | None:
    """Return commit and uncommitted changes of the repository around `folder`, or None."""
    commit = _output(["git", "-C", str(folder), "rev-parse", "HEAD"])
    if commit is None:
        return None
    diff = _output(["git", "-C", str(folder), "diff", "HEAD"]) or ""
    return {"commit": commit.strip(), "diff": diff[:MAX_DIFF], "diff_truncated": len(diff) > MAX_DIFF}


def gpus() -> list[str]:
    """Return the names of the machine's GPUs, as its driver's tool lists them."""
    listed = _output(["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"])
    return listed.strip().splitlines() if listed else []


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _output(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
