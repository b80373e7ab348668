"""Training modes and their exit tests: adaptation, specialising and what it forgets, teams against loners."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.report import Figure, Report

SEEDS, QUICK_SEEDS = 5, 1
STEPS, QUICK_STEPS = 200_000, 3_200
SWAPPED = [0, 2, 1, 4, 3]
"""Every move goes the other way: the code may stay, the walking is to be learned anew."""


def run(*, quick: bool) -> Report:
    """Train a base, then each mode from it or beside it; --quick trains one seed for a moment and claims nothing."""
    if find_spec("torch") is None:
        print("torch is not installed: nothing is measured")
        return Report(name="agents_modes", figures=[])
    import torch  # here, since all benchmarks are imported where torch may be absent

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        _train(base, {}, quick=quick, seeds=1)
        adapted = _mode(folder, "behavior_adaptation", {"action_map": SWAPPED}, base=base, quick=quick)
        special = _mode(folder, "task_specialization", {"damping": 0.5}, base=base, quick=quick)
        team = _mode(folder, "coordination", {}, base=None, quick=quick)
    return Report(name="agents_modes", figures=_figures(adapted, special, team, quick=quick))


def _figures(
    adapted: Mapping[str, Any], special: Mapping[str, Any], team: Mapping[str, Any], *, quick: bool
) -> list[Figure]:
    ours, theirs = adapted["mean_steps_adapted"], adapted["mean_steps_from_scratch_at_least"]
    return [
        Figure(key="adaptation_steps", value=ours, unit="steps"),
        Figure(key="adaptation_steps_from_scratch", value=theirs, unit="steps"),
        Figure(
            key="adaptation_steps_ratio", value=ours / max(theirs, 1.0), unit="times", at_most=None if quick else 0.999
        ),
        Figure(key="adaptation_level", value=adapted["level"], unit="return"),
        Figure(key="specialization_gain", value=special["target_gain"]["value"], unit="return"),
        Figure(key="specialization_gain_low", value=special["target_gain"]["low"], unit="return"),
        Figure(
            key="specialization_forgetting", value=special["forgetting"], unit="share", at_most=None if quick else 0.5
        ),
        Figure(key="coordination_return", value=team["return"], unit="return"),
        Figure(key="coordination_independent_return", value=team["return_of_independent_learners"], unit="return"),
        Figure(key="coordination_gain_low", value=team["gain"]["low"], unit="return"),
    ]


def _mode(folder: str, mode: str, kwargs: Mapping[str, Any], *, base: Path | None, quick: bool) -> Mapping[str, Any]:
    """Train in a mode; return its outcome."""
    changes: dict[str, Any] = {"training_mode": mode}
    if base is not None:
        changes |= {"base_model": str(base), "environment": {"id": "speaker_listener", "kwargs": dict(kwargs)}}
    else:
        changes |= {"environment": {"id": "simple_spread"}, "max_steps": QUICK_STEPS if quick else 2 * STEPS}
    outcome: Mapping[str, Any] = _train(Path(folder) / mode, changes, quick=quick)["mode"]
    print(f"{mode}: passed {outcome['passed']}; {outcome['why']}")
    return outcome


def _train(folder: Path, changes: Mapping[str, Any], *, quick: bool, seeds: int | None = None) -> Mapping[str, Any]:
    from benchmarks.support.teams import train_whole

    settings = {
        "preset": "speaker_listener",
        "max_steps": QUICK_STEPS if quick else STEPS,
        "seeds": seeds or (QUICK_SEEDS if quick else SEEDS),
        "num_evaluations": 10,
        "final_episodes": 20 if quick else 100,
    }
    return train_whole(folder, {**settings, **changes})
