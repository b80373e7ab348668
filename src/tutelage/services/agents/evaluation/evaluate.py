"""The evaluation of a team on episodes that it was never trained on, the same for everybody who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.services.agents.building import fleet_of, generators_of, speech_of
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.evaluation.play import Played, play
from tutelage.services.agents.evaluation.statistics import estimate
from tutelage.services.agents.policies.team import Team

DURING, FINAL, FINAL_CHOICES = 10, 11, 12
"""Streams of randomness: of evaluations on the way, by which the best is kept, and of the last one."""
BOOTSTRAP_SEED = 0
"""Intervals of the same episodes are the same, always."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Episodes acted greedily, and as many by chance."""

    greedy: Played
    sampled: Played


def during(team: Team, config: AgentsConfig, seeds: Sequence[int]) -> Played:
    """Play the episodes of an evaluation on the way, greedily."""
    return _played(team, config, seeds, num=config.evaluation_episodes, stream=DURING)


def final(team: Team, config: AgentsConfig, seeds: Sequence[int]) -> Evaluation:
    """Play the episodes of the last evaluation; the same weights and seeds give the same episodes, always."""
    return Evaluation(
        greedy=_played(team, config, seeds, num=config.final_episodes, stream=FINAL),
        sampled=_played(team, config, seeds, num=config.final_episodes, stream=FINAL, chance=FINAL_CHOICES),
    )


def _played(
    team: Team, config: AgentsConfig, seeds: Sequence[int], *, num: int, stream: int, chance: int | None = None
) -> Played:
    fleet = fleet_of(config, seeds, num_copies=num, stream=stream)
    try:
        speech = speech_of(config, fleet.about, seeds, num_copies=num)
        return play(team, fleet, speech, generators=None if chance is None else generators_of(seeds, chance))
    finally:
        fleet.close()


def evaluation_document(evaluation: Evaluation, seeds: Sequence[int]) -> dict[str, Any]:
    """Return every seed's figures, the means over seeds, and interquartile means with 95 % intervals."""
    return {
        "episodes": int(evaluation.greedy.returns.shape[1]),
        "greedy": _document(evaluation.greedy, seeds),
        "sampled": _document(evaluation.sampled, seeds),
    }


def _document(played: Played, seeds: Sequence[int]) -> dict[str, Any]:
    def figures(index: Any) -> dict[str, Any]:
        return {
            "return": float(played.returns[index].mean()),
            "success_rate": float(played.successes[index].mean()),
            "episode_length": float(played.lengths[index].mean()),
        }

    each = {
        str(seed): {**figures(index), "returns": played.returns[index].tolist()} for index, seed in enumerate(seeds)
    }
    return {**figures(slice(None)), "interquartile_mean": _interquartile_mean(played), "seeds": each}


def _interquartile_mean(played: Played) -> dict[str, Any]:
    """Return that of the returns, with its interval over seeds, or over episodes where there is one seed."""
    is_several = len(played.returns) > 1
    scores = played.returns.mean(1) if is_several else played.returns[0]
    found = estimate(scores[:, None], random=np.random.default_rng(BOOTSTRAP_SEED))
    return {**found.as_dict(), "over": "seeds" if is_several else "episodes"}
