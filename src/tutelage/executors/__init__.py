"""Where workers run."""

from tutelage.executors.host import HostLink
from tutelage.executors.local import LocalExecutor, ProcessId

__all__ = ["HostLink", "LocalExecutor", "ProcessId"]
