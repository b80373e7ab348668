"""How far a training is, beyond the training layer's own counters: steps, episodes, what is best of each seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tutelage.services.agents.ppo.collector import Ended


@dataclass(kw_only=True)
class Standing:
    """Counters of a job; lists have one entry a seed. Plain numbers, kept in the checkpoint."""

    env_steps: int = 0
    """Environment steps of each seed."""
    updates: int = 0
    evaluations: int = 0
    episodes: list[int] = field(default_factory=list)
    best_return: list[float | None] = field(default_factory=list)
    """Of each seed, the best mean return of an evaluation on the way."""
    best_at: list[int] = field(default_factory=list)
    """The environment steps at which that was."""
    first_success: list[int | None] = field(default_factory=list)
    """The environment steps at which all episodes of an evaluation on the way first succeeded."""
    curve: list[list[Any]] = field(default_factory=list)
    """Evaluations on the way: [environment steps, mean return of each seed]."""
    cpu_s: float = 0.0
    """CPU seconds of all updates, evaluations apart."""

    @classmethod
    def fresh(cls, num_seeds: int) -> Standing:
        """Return the beginning."""
        nothing: list[Any] = [None] * num_seeds
        zeros = [0] * num_seeds
        return cls(episodes=zeros, best_return=nothing, best_at=[*zeros], first_success=[*nothing])

    @property
    def mean_episodes(self) -> int:
        """Episodes that ended, a seed on average, rounded down."""
        return sum(self.episodes) // len(self.episodes)

    def count(self, ended: Sequence[Ended]) -> None:
        """Take the episodes of an update in."""
        for index, each in enumerate(ended):
            self.episodes[index] += len(each.returns)

    def observe(self, index: int, value: float) -> bool:
        """Take an evaluation of a seed in; tell whether none so far was better: of equals the later counts."""
        best = self.best_return[index]
        if best is not None and value < best:
            return False
        self.best_return[index], self.best_at[index] = value, self.env_steps
        return True

    def observe_success(self, index: int, is_full: bool) -> None:
        """Remember when a seed first succeeded throughout."""
        if is_full and self.first_success[index] is None:
            self.first_success[index] = self.env_steps

    def state_dict(self) -> dict[str, Any]:
        """Return everything as plain types."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Standing:
        """Take back what `state_dict` returned."""
        return cls(**state)
