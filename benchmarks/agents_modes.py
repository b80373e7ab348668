"""Training modes and their exit tests: adapting, specialising and what it forgets, teams against loners, talk."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.report import Figure, Report

SEEDS, QUICK_SEEDS = 5, 1
QUICK_STEPS = 3_200
BASE = {"preset": "cartpole", "max_steps": 102_400, "seeds": 1}
LONGER = {"length": 2.0}
"""The pole is four times as long: the base keeps it up for some 45 steps, and whoever learns from nothing can too."""
CHANGED = {
    "preset": "cartpole",
    "environment": {"id": "CartPole-v1", "kwargs": LONGER},
    "max_steps": 61_440,
    # Every second update: steps to a level are counted in these.
    "num_evaluations": 30,
}
SPREAD = {
    "preset": "speaker_listener",
    "environment": {"id": "simple_spread"},
    "collaboration_weight": 1.0,
    "max_steps": 200_000,
    "epochs": 4,
    "batch_size": 1_600,
}
TALK = {"preset": "speaker_listener", "max_steps": 204_800, "seeds": 2, "num_evaluations": 4}
MODES: Mapping[str, Mapping[str, Any]] = {
    "behavior_adaptation": CHANGED,
    "task_specialization": CHANGED,
    "multi_agent_collaboration": TALK,
    "communication_protocols": TALK,
    "coordination": SPREAD,
}
NEED_A_BASE = ("behavior_adaptation", "task_specialization")


def run(*, quick: bool) -> Report:
    """Train a base, then each mode from it or beside it; --quick trains one seed for a moment and claims nothing."""
    if find_spec("torch") is None:
        print("torch is not installed: nothing is measured")
        return Report(name="agents_modes", figures=[])
    import torch  # here, since all benchmarks are imported where torch may be absent

    torch.set_num_threads(1)
    cpu_s = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        _train(base, BASE, quick=quick)
        found = {mode: _mode(Path(folder), mode, base, quick=quick) for mode in MODES}
    figures = [*_alone(found, quick=quick), *_together(found, quick=quick)]
    return Report(
        name="agents_modes", figures=[*figures, Figure(key="cpu_s", value=time.process_time() - cpu_s, unit="s")]
    )


def _alone(found: Mapping[str, Mapping[str, Any]], *, quick: bool) -> list[Figure]:
    """Return the figures of one agent that meets other dynamics."""
    adapted, special = found["behavior_adaptation"], found["task_specialization"]
    ours, theirs = adapted["mean_steps_adapted"], adapted["mean_steps_from_scratch_at_least"]
    return [
        Figure(key="adaptation_level", value=adapted["level"], unit="return"),
        Figure(key="adaptation_return_at_once", value=adapted["return_at_once"], unit="return"),
        Figure(key="adaptation_steps", value=ours, unit="steps"),
        Figure(key="adaptation_steps_from_scratch", value=theirs, unit="steps"),
        Figure(
            key="adaptation_steps_ratio", value=ours / max(theirs, 1.0), unit="times", at_most=None if quick else 0.99
        ),
        Figure(key="specialization_gain", value=special["target_gain"]["value"], unit="return"),
        Figure(
            key="specialization_gain_low",
            value=special["target_gain"]["low"],
            unit="return",
            at_least=None if quick else 0.0,
        ),
        Figure(
            key="specialization_forgetting", value=special["forgetting"], unit="share", at_most=None if quick else 0.5
        ),
    ]


def _together(found: Mapping[str, Mapping[str, Any]], *, quick: bool) -> list[Figure]:
    """Return the figures of teams, without words and with them."""
    team, talk = found["coordination"], found["communication_protocols"]
    gains = found["multi_agent_collaboration"]["gain"].values()
    least = None if quick else 0.0
    return [
        Figure(key="coordination_return", value=team["return"], unit="return"),
        Figure(key="coordination_independent_return", value=team["return_of_independent_learners"], unit="return"),
        Figure(key="coordination_gain", value=team["gain"]["value"], unit="return"),
        Figure(key="coordination_gain_low", value=team["gain"]["low"], unit="return"),
        Figure(key="coordination_better", value=team["probability_of_improvement"]["value"], unit="share"),
        Figure(
            key="collaboration_least_gain", value=min(gain["value"] for gain in gains), unit="return", at_least=least
        ),
        Figure(key="collaboration_gain_low", value=min(gain["low"] for gain in gains), unit="return", at_least=least),
        Figure(
            key="protocols_influence", value=talk["causal_influence"], unit="nats", at_least=None if quick else 0.05
        ),
    ]


def _mode(folder: Path, mode: str, base: Path, *, quick: bool) -> Mapping[str, Any]:
    """Train in a mode; return its outcome."""
    changes: dict[str, Any] = {"seeds": SEEDS, **MODES[mode], "training_mode": mode}
    if mode in NEED_A_BASE:
        changes["base_model"] = str(base)
    cpu_s = time.process_time()
    outcome: Mapping[str, Any] = _train(folder / mode, changes, quick=quick)["mode"]
    print(f"{mode}: passed {outcome['passed']}; {outcome['why']}; {time.process_time() - cpu_s:.0f} CPU s")
    return outcome


def _train(folder: Path, settings: Mapping[str, Any], *, quick: bool) -> Mapping[str, Any]:
    from benchmarks.support.teams import train_whole

    short = {"max_steps": QUICK_STEPS, "seeds": QUICK_SEEDS, "num_evaluations": 4, "final_episodes": 20}
    return train_whole(folder, {**settings, **(short if quick else {})})
