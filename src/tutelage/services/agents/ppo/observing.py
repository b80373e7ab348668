"""An observation as plain values, for a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.services.agents.environments.base import Observation


def observation_state(observation: Observation) -> dict[str, Any]:
    """Return the observation's arrays by name."""
    return {
        "seen": list(observation.seen),
        "plays": observation.plays,
        "speaks": observation.speaks,
        "hears": observation.hears,
        "allowed": None if observation.allowed is None else list(observation.allowed),
        "state": observation.state,
    }


def restored_observation(state: Mapping[str, Any]) -> Observation:
    """Return the observation that `observation_state` described."""
    allowed = state["allowed"]
    return Observation(
        **{**state, "seen": tuple(state["seen"]), "allowed": None if allowed is None else tuple(allowed)}
    )
