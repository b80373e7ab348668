"""Workers on this machine."""

from tutelage.executors.local.executor import LOCK_HELD, LocalExecutor, be_the_first_to_go
from tutelage.executors.local.process import ProcessId

__all__ = ["LOCK_HELD", "LocalExecutor", "ProcessId", "be_the_first_to_go"]
