"""Where workers run."""

from tutelage.executors.local import LocalExecutor
from tutelage.executors.process import ProcessId

__all__ = ["LocalExecutor", "ProcessId"]
