"""Proximal policy optimisation on CartPole and Acrobot: five seeds in one job, beside Stable-Baselines3's own."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from benchmarks.report import Figure, Report

if TYPE_CHECKING:
    from benchmarks.support.policies import Job, Task

SEEDS, QUICK_SEEDS = (0, 1, 2, 3, 4), (0,)
QUICK_BUDGET = 8_192
BUDGETS: Mapping[str, tuple[float, float]] = {"cartpole": (0.5, 3.5), "acrobot": (0.4, 8.0)}
"""Task -> at most so much of SB3's CPU time to the mark, at least so many times its steps a CPU second."""


def run(*, quick: bool) -> Report:
    """Train ours as one job of five seeds and as one of one, and SB3 by its zoo's settings; --quick learns little."""
    if find_spec("torch") is None:
        print("torch is not installed: nothing is measured")
        return Report(name="agents_ppo", figures=[])
    import torch  # here, since all benchmarks are imported where torch may be absent

    from benchmarks.support.policies import TASKS

    torch.set_num_threads(1)
    has_sb3 = find_spec("stable_baselines3") is not None and find_spec("gymnasium") is not None
    figures: list[Figure] = []
    peers: dict[str, Mapping[str, float | str]] = {} if has_sb3 else {"sb3": {"version": "absent"}}
    for task in TASKS:
        figures += _figures(task, peers, quick=quick, has_sb3=has_sb3)
    return Report(name="agents_ppo", figures=figures, peers=peers)


def _figures(task: Task, peers: dict[str, Mapping[str, float | str]], *, quick: bool, has_sb3: bool) -> list[Figure]:
    from benchmarks.support.policies import train_ours, train_sb3

    seeds = list(QUICK_SEEDS if quick else SEEDS)
    budget = QUICK_BUDGET if quick else None
    together = train_ours(task, seeds, budget=budget)
    _show(f"{task.name}, ours, {len(seeds)} seeds in one job", [together])
    alone = train_ours(task, seeds[:1], budget=budget)
    _show(f"{task.name}, ours, one seed in a job", [alone])
    theirs = [train_sb3(task, seed, budget=budget) for seed in seeds] if has_sb3 else []
    if theirs:
        _show(f"{task.name}, SB3 with its zoo's settings", theirs)
        peers[f"sb3_{task.name}"] = _peer(theirs)
    finals = [each.final_return or 0.0 for each in together.courses]
    reached = sum(value >= task.mark for value in finals)
    return [
        Figure(
            key=f"{task.name}_seeds_at_mark",
            value=reached,
            unit=f"of {len(seeds)}",
            at_least=None if quick else len(seeds),
        ),
        Figure(key=f"{task.name}_worst_final", value=min(finals), unit="return", at_least=None if quick else task.mark),
        *_costs(task, together, alone, theirs, quick=quick),
    ]


def _costs(task: Task, together: Job, alone: Job, theirs: Sequence[Job], *, quick: bool) -> list[Figure]:
    most, least = BUDGETS[task.name]
    figures = [
        Figure(key=f"{task.name}_steps_per_cpu_s", value=together.steps_per_cpu_s, unit="1/s"),
        Figure(key=f"{task.name}_alone_steps_per_cpu_s", value=alone.steps_per_cpu_s, unit="1/s"),
    ]
    if theirs:
        speed = sum(job.steps for job in theirs) / sum(job.cpu_s for job in theirs)
        ratio, ratio_alone = together.steps_per_cpu_s / speed, alone.steps_per_cpu_s / speed
        figures += [
            Figure(key=f"{task.name}_steps_ratio", value=ratio, unit="times", at_least=None if quick else least),
            Figure(key=f"{task.name}_alone_steps_ratio", value=ratio_alone, unit="times"),
        ]
    if quick:
        return figures
    ours = statistics.median(together.crossed_cpu_s())
    figures.append(Figure(key=f"{task.name}_cpu_s_to_mark", value=ours, unit="s"))
    figures.append(Figure(key=f"{task.name}_worst_cpu_s_to_mark", value=max(together.crossed_cpu_s()), unit="s"))
    if theirs:
        peer = statistics.median(cost for job in theirs for cost in job.crossed_cpu_s())
        figures.append(Figure(key=f"{task.name}_cpu_ratio", value=ours / peer, unit="times", at_most=most))
        alone_s = alone.crossed_cpu_s()[0]
        figures.append(Figure(key=f"{task.name}_alone_cpu_ratio", value=alone_s / peer, unit="times"))
    return [figure for figure in figures if math.isfinite(figure.value)]  # a mark never crossed has no cost


def _peer(jobs: Sequence[Job]) -> dict[str, float | str]:
    from importlib.metadata import version

    cost_s = statistics.median(cost for job in jobs for cost in job.crossed_cpu_s())
    return {
        "version": version("stable_baselines3"),
        "steps_per_cpu_s": sum(job.steps for job in jobs) / sum(job.cpu_s for job in jobs),
        "cpu_s_to_mark": cost_s if math.isfinite(cost_s) else "not crossed",
    }


def _show(title: str, jobs: Sequence[Job]) -> None:
    """Print the whole table: every seed's way to the mark, and its end."""
    print(f"  {title}: {sum(job.steps for job in jobs) / sum(job.cpu_s for job in jobs):,.0f} steps a CPU second")
    print(f"    {'seed':>4} {'steps to mark':>14} {'CPU s to mark':>14} {'final return':>13}")
    for job in jobs:
        for each in job.courses:
            steps = "not crossed" if each.crossed_steps is None else f"{each.crossed_steps:,}"
            cpu_s = "" if each.crossed_cpu_s is None else f"{each.crossed_cpu_s:.2f}"
            end = "" if each.final_return is None else f"{each.final_return:.1f}"
            print(f"    {each.seed:>4} {steps:>14} {cpu_s:>14} {end:>13}", flush=True)
