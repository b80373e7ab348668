"""Pointer chasing: does a token ponder longer where the question needs it, is it right, and does time follow?"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import torch

from benchmarks.report import Figure, Report
from benchmarks.support.fitting import fit_in_temporary_folder
from benchmarks.support.pointers import MAX_HOPS, PointerTask, answer, build_model, draw
from tutelage.services.cognate.model.causal_lm import CausalLM
from tutelage.training import Clip, Plan

TAU = 0.2
"""The price of one ponder step of all tokens; a question's own token is one of seven."""

TESTED = 4000
TIMED, REPEATS = 2000, 9


def run(*, quick: bool) -> Report:
    """Train one block that is applied up to six times, and ask fresh questions; the quick way is too short to learn."""
    torch.set_num_threads(1)
    steps = 300 if quick else 5000
    model = build_model(seed=0)
    began_s = time.perf_counter()
    train(model, steps=steps)
    trained_s = time.perf_counter() - began_s
    model.eval()
    asked = examine(model)
    times_ms = {hops: forward_ms(model, hops) for hops in (1, MAX_HOPS)}
    return Report(
        name="act",
        figures=[
            Figure(key="accuracy", value=asked.accuracy, unit="", at_least=None if quick else 0.98),
            Figure(key="hops_correlation", value=asked.correlation, unit="", at_least=None if quick else 0.9),
            Figure(key="hops_correlation_single", value=asked.correlation_single, unit=""),
            *(
                Figure(key=f"ponder_steps_{hops}", value=value, unit="steps")
                for hops, value in enumerate(asked.steps_by_hops, start=1)
            ),
            Figure(key="ponder_steps_map", value=asked.map_steps, unit="steps"),
            Figure(key="forward_1_hop_ms", value=times_ms[1], unit="ms"),
            Figure(key=f"forward_{MAX_HOPS}_hops_ms", value=times_ms[MAX_HOPS], unit="ms"),
            Figure(
                key="time_1_over_4",
                value=times_ms[1] / times_ms[MAX_HOPS],
                unit="times",
                at_most=None if quick else 0.9,
            ),
            Figure(key="train_steps", value=steps, unit="steps"),
            Figure(key="train_s", value=trained_s, unit="s"),
        ],
    )


def train(model: CausalLM, *, steps: int) -> None:
    """Train by the product's loop."""
    plan = Plan(
        max_steps=steps,
        optimizer={"name": "adamw", "lr": 2e-3, "weight_decay": 0.01},
        schedule={"name": "cosine", "warmup_steps": 50, "final": 0.05},
        clip=Clip(norm=1.0),
        objective="val_accuracy",
        direction="maximize",
        log_every=100,
        ratio_every=0,
    )
    fit_in_temporary_folder(PointerTask(model, tau=TAU, ramp_steps=steps // 2), plan, seed=0)


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What fresh questions showed."""

    accuracy: float
    correlation: float
    correlation_single: float
    steps_by_hops: list[float]
    map_steps: float


@torch.no_grad()
def examine(model: CausalLM) -> Examined:
    """Ask fresh questions; correlations are Pearson's, of hops with mean ponder steps by hops and with single ones.

    Single questions of equally many hops differ in what they need: a map may lead to a fixed point at once, and its
    tokens compose what they see of one another.
    """
    asked = draw(TESTED, 2)
    scores, _, steps = answer(model, asked)
    means = [float(steps[asked.hops == hops].mean()) for hops in range(1, MAX_HOPS + 1)]
    ponder = model(asked.tokens).ponder
    assert ponder is not None, "this model ponders"
    return Examined(
        accuracy=float((scores.argmax(1) == asked.answers).float().mean()),
        correlation=correlation(torch.arange(1.0, MAX_HOPS + 1), torch.tensor(means)),
        correlation_single=correlation(asked.hops.float(), steps),
        steps_by_hops=means,
        map_steps=float(ponder.steps[:, :-1].mean()),
    )


def correlation(first: torch.Tensor, second: torch.Tensor) -> float:
    """Return Pearson's correlation."""
    return float(torch.corrcoef(torch.stack((first, second)))[0, 1])


@torch.no_grad()
def forward_ms(model: CausalLM, hops: int) -> float:
    """Return the median time of answering many questions of one number of hops."""
    asked = draw(TIMED, 3, hops=hops)
    times_ms = []
    for _ in range(REPEATS):
        began_s = time.perf_counter()
        answer(model, asked)
        times_ms.append(1000 * (time.perf_counter() - began_s))
    return statistics.median(times_ms)
