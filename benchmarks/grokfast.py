"""The GrokFast filter: its cost beside the published loop, equality with it, and what it does beside tuned AdamW."""

from __future__ import annotations

from importlib.util import find_spec

from benchmarks.report import Figure, Report

WIDTH, QUICK_WIDTH = 408, 96
ROUNDS, QUICK_ROUNDS = 15, 5


def run(*, quick: bool) -> Report:
    """Measure the cost, and unless `quick` train every row of the table."""
    if find_spec("torch") is None:
        print("torch is not installed: nothing is measured")
        return Report(name="grokfast", figures=[])
    import torch  # here, since all benchmarks are imported where torch may be absent

    torch.set_num_threads(1)
    figures = _cost(*((QUICK_WIDTH, QUICK_ROUNDS) if quick else (WIDTH, ROUNDS)))
    return Report(name="grokfast", figures=figures if quick else [*figures, *_grokking()])


def _cost(width: int, rounds: int) -> list[Figure]:
    from benchmarks.support.gradient_filters import measured_ema, measured_ma

    ema, ma = measured_ema(width=width, rounds=rounds), measured_ma(width=width // 2, rounds=rounds)
    return [
        Figure(key="cost_vs_reference", value=ema.ratio, unit="times", at_most=0.34),
        Figure(key="ms_per_step", value=ema.ours_ms, unit="ms"),
        Figure(key="reference_ms_per_step", value=ema.reference_ms, unit="ms"),
        Figure(key="max_difference", value=max(ema.difference, ma.difference), unit="relative", at_most=1e-5),
        Figure(key="ma_cost_vs_reference", value=ma.ratio, unit="times"),
        Figure(key="parameters", value=ema.num_parameters, unit="numbers"),
    ]


def _grokking() -> list[Figure]:
    """Train every row of the table, and print each as it ends."""
    from benchmarks.support.grokking import CAP_STEPS, GROKKING, steps_to_grok

    figures = []
    for row in GROKKING:
        found = steps_to_grok(row)
        reached = f"{found.steps:,} steps" if found.is_reached else f"not within {CAP_STEPS:,}"
        print(f"  {row.key:<28} {reached}, validation accuracy {found.accuracy:.3f}, {found.seconds:.0f} s", flush=True)
        if found.is_reached:
            figures.append(Figure(key=f"{row.key}_steps", value=found.steps, unit="steps"))
        figures.append(Figure(key=f"{row.key}_accuracy", value=found.accuracy, unit="share"))
    return figures
