"""The session API of the original agents service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tutelage.client.sessions import Sessions


class AgentForgeTrainingService(Sessions):
    """Sessions that train policies; a status shows reward, success and coordination."""

    SERVICE = "agents"
    FIGURES: ClassVar[Mapping[str, str]] = {
        "reward": "reward",
        "success_rate": "success_rate",
        "coordination_score": "coordination_score",
    }
