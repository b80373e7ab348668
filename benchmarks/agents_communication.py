"""Teams that speak: what the channel wins, against the same policies unheard, the bound without one, and no bias.

A score has to be high where words are used and near 0 where they cannot be: beside the team that is heard stands one
whose every word is lost on its way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import Figure, Report

if TYPE_CHECKING:
    from benchmarks.support.teams import Team
    from tutelage.services.agents.evaluation.statistics import Estimate

SEEDS, QUICK_SEEDS = (1, 2, 3, 4, 5), (1,)
QUICK_STEPS, LOST_STEPS = 3_200, 200_000
RETURN, SUCCESS, SHUFFLED_COST, STEPS, CPU_S = -8.5, 0.95, 5.0, 600_000, 60.0
SOLVED = 0.9
"""Share of the best possible return from which on a game is solved."""
ADDRESSING: Mapping[str, tuple[str, str]] = {
    "dispatch": ("direct", "broadcast"),
    "announcement": ("broadcast", "direct"),
}
"""Tasks in which one way of addressing beats the other: (better, worse)."""


def run(*, quick: bool) -> Report:
    """Train teams of five seeds in one job each; --quick trains one seed for a moment and claims nothing."""
    if find_spec("torch") is None:
        print("torch is not installed: nothing is measured")
        return Report(name="agents_communication", figures=[])
    import torch  # here, since all benchmarks are imported where torch may be absent

    torch.set_num_threads(1)
    figures = [*_speaker_listener(quick=quick), *_games(quick=quick), *_addressing(quick=quick)]
    return Report(name="agents_communication", figures=figures)


def _speaker_listener(*, quick: bool) -> list[Figure]:
    """Ours with the positive-signalling bias, the same without it, and the same with every word lost."""
    ours = _train("speaker_listener", {"preset": "speaker_listener"}, quick=quick)
    naive = _train("speaker_listener, no bias", {"preset": "speaker_listener", "signalling_weight": 0.0}, quick=quick)
    lost = {"preset": "speaker_listener", "channel": {"drop": 1.0}, "max_steps": LOST_STEPS}
    unheard = _train("speaker_listener, every word lost", lost, quick=quick)
    claims = None if quick else True
    return [
        Figure(key="speaker_listener_worst_return", value=min(ours.returns), unit="return", at_least=claims and RETURN),
        Figure(
            key="speaker_listener_worst_success", value=min(ours.successes), unit="share", at_least=claims and SUCCESS
        ),
        Figure(key="speaker_listener_joint_steps", value=ours.steps, unit="steps", at_most=STEPS),
        Figure(key="speaker_listener_cpu_s_per_seed", value=ours.cpu_s_per_seed, unit="s", at_most=CPU_S),
        Figure(
            key="speaker_listener_least_shuffled_cost",
            value=min(team - shuffled for team, shuffled in zip(ours.returns, ours.shuffled, strict=True)),
            unit="return",
            at_least=claims and SHUFFLED_COST,
        ),
        Figure(key="speaker_listener_least_score", value=min(ours.scores), unit="share", at_least=claims and 0.9),
        Figure(key="speaker_listener_least_influence", value=min(ours.influences), unit="nats"),
        Figure(key="naive_best_return", value=max(naive.returns), unit="return"),
        Figure(key="naive_best_success", value=max(naive.successes), unit="share"),
        Figure(key="naive_mean_score", value=_mean(naive.scores), unit="share"),
        Figure(key="unheard_best_return", value=max(unheard.returns), unit="return"),
        Figure(key="unheard_highest_score", value=max(unheard.scores), unit="share", at_most=claims and 0.1),
        Figure(key="speaker_listener_no_channel", value=ours.bounds["no_channel"], unit="return"),
        Figure(key="speaker_listener_oracle", value=ours.bounds["oracle"], unit="return"),
    ]


def _games(*, quick: bool) -> list[Figure]:
    """The referential game and the switch riddle, each near what is possible with a channel."""
    figures = []
    for name in ("referential_game", "switch_riddle"):
        team = _train(name, {"preset": name}, quick=quick)
        bound, oracle = team.bounds["no_channel"], team.bounds["oracle"]
        least = None if quick else max(bound, SOLVED * oracle)
        figures += [
            Figure(key=f"{name}_worst_return", value=min(team.returns), unit="return", at_least=least),
            Figure(key=f"{name}_mean_return", value=_mean(team.returns), unit="return"),
            Figure(key=f"{name}_no_channel", value=bound, unit="return"),
            Figure(key=f"{name}_oracle", value=oracle, unit="return"),
            Figure(key=f"{name}_mean_score", value=_mean(team.scores), unit="share"),
        ]
    return figures


def _addressing(*, quick: bool) -> list[Figure]:
    """Mean returns by protocol with intervals over seeds, and how far the better one is ahead."""
    figures = []
    for name, (better, worse) in ADDRESSING.items():
        found = {}
        for protocol in (better, worse):
            team = _train(f"{name}, {protocol}", {"preset": name, "communication_protocols": [protocol]}, quick=quick)
            found[protocol] = _mean_of(team.returns)
            figures += [
                Figure(key=f"{name}_{protocol}", value=found[protocol].value, unit="return"),
                Figure(key=f"{name}_{protocol}_low", value=found[protocol].low, unit="return"),
                Figure(key=f"{name}_{protocol}_high", value=found[protocol].high, unit="return"),
            ]
        lead = found[better].value - found[worse].value
        figures.append(Figure(key=f"{name}_{better}_lead", value=lead, unit="return", at_least=None if quick else 0.1))
    return figures


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _mean_of(returns: Sequence[float]) -> Estimate:
    from tutelage.services.agents.evaluation.statistics import estimate

    return estimate(np.array(returns), random=np.random.default_rng(0), statistic=lambda scores: float(np.mean(scores)))


def _train(name: str, config: Mapping[str, Any], *, quick: bool) -> Team:
    from benchmarks.support.teams import train_team

    seeds: Sequence[int] = QUICK_SEEDS if quick else SEEDS
    changes = {"max_steps": QUICK_STEPS, "final_episodes": 20} if quick else {"final_episodes": 1000}
    team = train_team({**config, **changes, "seeds": list(seeds)})
    print(
        f"{name}: returns {[round(value, 2) for value in team.returns]}, success {team.successes}, "
        f"scores {[round(value, 2) for value in team.scores]}, {team.cpu_s_per_seed:.1f} CPU s a seed"
    )
    return team
