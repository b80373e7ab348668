"""Where workers run."""

from tutelage.executors.local import LocalExecutor, ProcessId

__all__ = ["LocalExecutor", "ProcessId"]
