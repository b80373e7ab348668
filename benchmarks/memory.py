"""Recall beyond the attention window with the product's memory: without it, with room for all, with room for few."""

from __future__ import annotations

import torch

from benchmarks.report import Figure, Report
from benchmarks.support.fitting import fit_in_temporary_folder
from benchmarks.support.recall import (
    NUM_FACTS,
    NUM_SEGMENTS,
    NUM_SYMBOLS,
    RecallModel,
    RecallTask,
    draw,
    fifo_expectation,
    read,
    recall,
)
from tutelage.services.cognate.model.settings import WRITE_RULES
from tutelage.training import Clip, Plan

TESTED, QUICK_TESTED = 1000, 200
NUM_FILLERS = 24
SMALL_SHARE = 0.1
RULE_TRAINING = 3
"""Among fillers the facts are found later: a write rule shows nothing after a third of these steps."""


def run(*, quick: bool) -> Report:
    """Train a model for each capacity and each write rule, and ask fresh questions; --quick is too short to learn."""
    torch.set_num_threads(1)
    steps, rule_steps = (12, 12) if quick else (300, 300 * RULE_TRAINING)
    num_tested = QUICK_TESTED if quick else TESTED
    recalls = {capacity: trained(capacity, steps=steps) for capacity in (0, 64, 8)}
    tested = draw(num_tested, 2)
    values = {capacity: recall(model, tested) for capacity, model in recalls.items()}
    chance, expected = 1 / NUM_SYMBOLS, fifo_expectation(8)
    reads, writes = counted(recalls[64], num_tested=num_tested)
    return Report(
        name="memory",
        figures=[
            Figure(key="recall_off", value=values[0], unit="", at_most=2 * chance),
            Figure(key="chance", value=chance, unit=""),
            Figure(key="recall_64", value=values[64], unit="", at_least=None if quick else 0.98),
            Figure(key="recall_8", value=values[8], unit=""),
            Figure(key="recall_8_fifo_expectation", value=expected, unit=""),
            Figure(
                key="recall_8_off_expectation",
                value=abs(values[8] - expected),
                unit="",
                at_most=None if quick else 0.05,
            ),
            Figure(key="reads", value=reads, unit="slots", at_least=1),
            Figure(key="writes", value=writes, unit="slots", at_least=1),
            Figure(key="leak", value=leak(recalls[64]), unit="", at_most=0),
            *rule_figures(steps=rule_steps, num_tested=num_tested),
        ],
    )


def trained(capacity: int, *, steps: int, rule: str = "fifo", num_fillers: int = 0) -> RecallModel:
    """Train a model by the product's loop."""
    torch.manual_seed(0)
    model = RecallModel(capacity=capacity, rule=rule, num_fillers=num_fillers)
    plan = Plan(
        max_steps=steps,
        optimizer={"name": "adamw", "lr": 3e-3, "weight_decay": 0.01},
        schedule={"name": "cosine", "warmup_steps": 20, "final": 0.1},
        clip=Clip(norm=1.0),
        objective="val_recall",
        direction="maximize",
        log_every=50,
        ratio_every=0,
    )
    fit_in_temporary_folder(RecallTask(model), plan, seed=0)
    return model.eval()


def rule_figures(*, steps: int, num_tested: int) -> list[Figure]:
    """Measure the write rules with a bank of a tenth of all tokens, most of which are fillers."""
    capacity = round(SMALL_SHARE * NUM_SEGMENTS * (NUM_FACTS + NUM_FILLERS))
    tested = draw(num_tested, 2, num_fillers=NUM_FILLERS)
    figures = []
    for rule in WRITE_RULES:
        model = trained(capacity, steps=steps, rule=rule, num_fillers=NUM_FILLERS)
        figures.append(Figure(key=f"recall_{rule}_{capacity}_of_160", value=recall(model, tested), unit=""))
    return figures


@torch.no_grad()
def counted(model: RecallModel, *, num_tested: int) -> tuple[int, int]:
    """Return slots read and slots written over the tested sequences."""
    reads = writes = 0
    for found in read(model, draw(num_tested, 2)):
        assert found.output.view is not None, "asked with memory"
        assert found.bank is not None, "asked with memory"
        reads += int(found.output.view.reads)
        writes = int(found.bank.written.sum())
    return reads, writes


@torch.no_grad()
def leak(model: RecallModel) -> float:
    """Return how far the answers to one sequence change when the one beside it is another: 0 but for rounding."""
    two = [draw(2, 7), draw(2, 7)]
    others = draw(2, 8)
    for mine, other in zip(two[1], others, strict=True):
        for name in ("keys", "values", "asked"):
            getattr(mine, name)[1] = getattr(other, name)[1]
    scores = [torch.stack([found.scores[0] for found in read(model, segments)]) for segments in two]
    return float((scores[0] - scores[1]).abs().max())
