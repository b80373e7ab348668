"""When an episode of an environment that is not ours counts as a success."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

KEYS = ("is_success", "success")
KNOWN = {
    "MiniGrid-": (0.0, "the reward of the episode is above 0: the mission is done in time"),
    "BabyAI-": (0.0, "the reward of the episode is above 0: the mission is done in time"),
    "LunarLander": (200.0, "the return is at least 200, as Gymnasium defines a landing that counts"),
}
"""Beginnings of public ids whose task defines success by a return: above 0, or at least the number."""


@dataclass(frozen=True, kw_only=True)
class Success:
    """A definition: by the environment's own word where it gives one, else by the return of the episode."""

    words: str
    at_least: float | None = None
    above: float | None = None

    def reached(self, infos: Iterable[Mapping[str, Any]], total: float) -> bool:
        """Tell whether an episode that ended with these infos (one an agent) and return succeeded."""
        said = [bool(info[key]) for info in infos for key in KEYS if key in info]
        if said:
            return all(said)
        if self.at_least is not None:
            return total >= self.at_least
        return self.above is not None and total > self.above


def success_of(name: str, *, success_return: float | None, threshold: float | None) -> Success:
    """Return the definition: the user's, the table's, the environment's `reward_threshold`, or only its own word."""
    if success_return is not None:
        return Success(words=f"the return is at least {success_return:g}", at_least=success_return)
    for begin, (bound, words) in KNOWN.items():
        if name.startswith(begin):
            return Success(words=words, **({"above": bound} if bound == 0 else {"at_least": bound}))
    if threshold is not None:
        return Success(words=f"the return is at least {threshold:g}, its reward_threshold", at_least=threshold)
    return Success(words="as the environment says by is_success or success; without that, none: set success_return")
