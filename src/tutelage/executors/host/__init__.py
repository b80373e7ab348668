"""Workers on another machine: the link to the Tutelage there."""

from tutelage.executors.host.link import HostLink

__all__ = ["HostLink"]
