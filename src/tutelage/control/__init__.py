"""What the supervisor does: admission, supervision, ingest, judging, and every action of Platform."""

from tutelage.control.platform import ControlPlatform
from tutelage.control.supervision import Supervision

__all__ = ["ControlPlatform", "Supervision"]
