"""Draws the picture of each finding: `python docs/reference/findings/draw.py`; the checks themselves judge the curves.

Left the curve on which the check fires, right one on which it must not. SVG by hand, so that the files are small and
drawing needs no library.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tutelage.analysis import Declared, Role, Scope, Standing, assess
from tutelage.core.findings import Outcome

HERE = Path(__file__).parent
WIDTH, HEIGHT, MARGIN = 330, 170, 28
COLOURS = ("#1f5fbf", "#c77700")
Points = list[tuple[int, float]]
Shape = Callable[[float], float]


@dataclass(frozen=True)
class Panel:
    """One run: its curves, what is declared of them, and how long it has been silent."""

    title: str
    curves: Mapping[str, Points]
    declared: Mapping[str, Declared]
    silent_s: float | None = None


def curve(shape: Shape, *, noise: float = 0.0, seed: int = 1, num: int = 80) -> Points:
    """Return a shape over the share of the run, with normal noise."""
    draw = random.Random(seed)
    return [(step, shape(step / num) + draw.gauss(0, noise)) for step in range(1, num + 1)]


def fall(share: float) -> float:
    """A healthy loss."""
    return 3.0 * (1 + 20 * share) ** -0.5


def turn(share: float) -> float:
    """A loss that rises again."""
    return 3.0 - 2.0 * min(share / 0.4, 1.0) ** 0.5 + 0.8 * max(share - 0.4, 0.0) / 0.6


def level(share: float) -> float:
    """A loss that is done at a quarter."""
    return 1.0 + 2.0 * math.exp(-24 * share)


def blow(share: float) -> float:
    """A loss that grows beyond all bounds."""
    return fall(min(share, 0.6)) + math.expm1(5 * max(share - 0.6, 0.0) / 0.4) / 30


LOSSES = {"val_loss": Declared(direction="minimize", pairs="train_loss"), "train_loss": Declared()}


def losses(title: str, val: Shape, train: Shape, *, noise: float = 0.03, silent_s: float | None = None) -> Panel:
    """Return a run with validation and train."""
    drawn = {"val_loss": curve(val, noise=noise), "train_loss": curve(train, noise=noise, seed=2)}
    return Panel(title, drawn, LOSSES, silent_s)


def signal(title: str, name: str, role: Role, points: Points, loss: Points | None = None) -> Panel:
    """Return a run whose side signal is drawn; the loss beside it is judged with it."""
    declared = {name: Declared(role=role), "loss": Declared(direction="minimize")}
    return Panel(title, {name: points, **({"loss": loss} if loss else {})}, declared)


def steps(*parts: tuple[int, float], noise: float = 0.05) -> Points:
    """Return levels that follow one another, each with relative noise."""
    draw = random.Random(5)
    values = [value * (1 + draw.gauss(0, noise)) for num, value in parts for _ in range(num)]
    return list(enumerate(values, 1))


def spiked(at: int, height: float, length: int) -> Points:
    """Return a healthy loss that jumps for some steps."""
    drawn = curve(fall, noise=0.02)
    return [(step, value + (height if at <= step < at + length else 0)) for step, value in drawn]


def panels() -> dict[str, tuple[Panel, Panel]]:
    """Return for each finding the run on which it fires, and one on which it must not."""
    lone = {"loss": Declared(direction="minimize")}
    nan = [(step, value if step < 50 else math.nan) for step, value in curve(fall, noise=0.02)]
    rate = {"lr": Declared(role=Role.LEARNING_RATE), "loss": Declared(direction="minimize")}
    constant = [(step, 0.1) for step in range(1, 81)]
    swings = [(step, 1 + (0.01 if step < 40 else 0.3) * (-1) ** step) for step in range(1, 81)]
    trivial = {"loss": Declared(direction="minimize", baseline=1.0, baseline_name="mean")}
    agents = {
        "influence": Declared(role=Role.CAUSAL_INFLUENCE),
        "return": Declared(direction="maximize", baseline=1.0, baseline_name="no channel"),
    }
    quiet, heard = steps((80, 0.02)), steps((20, 0.02), (60, 0.3))
    at_bound, above = steps((80, 1.0), noise=0.02), steps((30, 1.0), (50, 1.6), noise=0.02)
    return {
        "H001": (losses("validation turns, train falls", turn, fall), losses("both fall", fall, fall)),
        "H002": (losses("done at a quarter", level, level), losses("still falls", fall, fall)),
        "H003": (losses("both grow beyond all bounds", blow, blow), losses("validation alone turns", turn, fall)),
        "H004": (Panel("NaN from step 50 on", {"loss": nan}, lone), losses("finite", fall, fall)),
        "H005": (
            losses("silent for ten minutes", fall, fall, silent_s=600.0),
            losses("in step", fall, fall, silent_s=2.0),
        ),
        "H006": (
            Panel("jumps and comes back", {"loss": spiked(40, 1.5, 2)}, lone),
            Panel("jumps and stays", {"loss": spiked(40, 1.5, 99)}, lone),
        ),
        "H007": (
            Panel("never beats the mean", {"loss": curve(lambda share: 1.05, noise=0.05)}, trivial),
            Panel("beats it", {"loss": curve(fall, noise=0.05)}, trivial),
        ),
        "H008": (
            Panel("swings ever more", {"loss": swings, "lr": constant}, rate),
            Panel("steady", {"loss": curve(fall, noise=0.02), "lr": constant}, rate),
        ),
        "H009": (
            signal("explodes", "grad_norm", Role.GRADIENT_NORM, steps((60, 1.0), (20, 15.0))),
            signal("steady", "grad_norm", Role.GRADIENT_NORM, steps((80, 1.0))),
        ),
        "H010": (
            losses("validation better all along", fall, lambda share: fall(share) + 0.5),
            losses("train better", lambda share: fall(share) + 0.5, fall),
        ),
        "H011": (
            signal("steps take 2.5 times as long", "step_s", Role.STEP_TIME, steps((60, 1.0), (20, 2.5))),
            signal("steady", "step_s", Role.STEP_TIME, steps((80, 1.0))),
        ),
        "H012": (losses("still falls", fall, fall), losses("done at a quarter", level, level)),
        "H101": (
            signal("collapses", "entropy", Role.ENTROPY, steps((30, 1.0), (50, 0.01))),
            signal("falls by half", "entropy", Role.ENTROPY, steps((30, 1.0), (50, 0.5))),
        ),
        "H102": (
            signal("blows up", "kl", Role.KL, steps((60, 0.01), (20, 0.2))),
            signal("steady", "kl", Role.KL, steps((80, 0.01))),
        ),
        "H103": (
            signal("worse than a constant", "ev", Role.EXPLAINED_VARIANCE, steps((60, 0.5), (20, -0.3))),
            signal("explains half", "ev", Role.EXPLAINED_VARIANCE, steps((80, 0.5))),
        ),
        "H104": (
            Panel("not heard, no better than silent", {"influence": quiet, "return": at_bound}, agents),
            Panel("heard", {"influence": heard, "return": above}, agents),
        ),
    }


def outcome(code: str, panel: Panel) -> tuple[Outcome, int | None]:
    """Return what the check itself says of a run, and since when."""
    scope = Scope(declared=panel.declared, budget=80)
    standing = Standing(silent_s=panel.silent_s, interval_s=None if panel.silent_s is None else 2.0)
    found = next(item for item in assess(scope, panel.curves, standing).findings if item.code == code)
    return found.outcome, found.since_step


def drawn(code: str, pair: Sequence[Panel]) -> str:
    """Return the picture of a finding."""
    parts = [_panel(code, panel, WIDTH * index) for index, panel in enumerate(pair)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT}" width="{2 * WIDTH}"'
    return f'{head} font-family="sans-serif" font-size="11" role="img">\n' + "\n".join(parts) + "\n</svg>\n"


def _panel(code: str, panel: Panel, left: int) -> str:
    said, since = outcome(code, panel)
    values = [value for points in panel.curves.values() for _, value in points if math.isfinite(value)]
    low, high = min(values), max(values)

    def x(step: int) -> float:
        return left + MARGIN + (step - 1) / 79 * (WIDTH - 2 * MARGIN)

    def y(value: float) -> float:
        return HEIGHT - MARGIN - (value - low) / ((high - low) or 1.0) * (HEIGHT - 2.4 * MARGIN)

    lines = [f'<rect x="{left + 4}" y="4" width="{WIDTH - 8}" height="{HEIGHT - 8}" fill="white" stroke="#ccc"/>']
    if since is not None and said is Outcome.ISSUE:
        lines.append(f'<path d="M{x(since):.1f} 34V{HEIGHT - MARGIN}" stroke="#b00020" stroke-dasharray="3 3"/>')
        lines.append(f'<text x="{x(since) + 3:.1f}" y="44" fill="#b00020">since {since}</text>')
    for (name, points), colour in zip(panel.curves.items(), COLOURS, strict=False):
        path = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in points if math.isfinite(value))
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.4"/>')
        place = left + MARGIN + 90 * list(panel.curves).index(name)
        lines.append(f'<text x="{place}" y="{HEIGHT - 10}" fill="{colour}">{name}</text>')
    lines.append(f'<text x="{left + MARGIN}" y="22" font-weight="bold">{panel.title}: {said}</text>')
    return "\n".join(lines)


def main() -> None:
    """Draw all of them."""
    for code, pair in panels().items():
        (HERE / f"{code}.svg").write_text(drawn(code, pair))


if __name__ == "__main__":
    main()
