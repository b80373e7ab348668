"""The thresholds of the judge; a change of any of them, or of what a check says, is a new `CHECKS_VERSION`."""

from __future__ import annotations

from dataclasses import dataclass

CHECKS_VERSION = 3
MIN_EVALUATIONS = 8
"""Nothing is said of a curve that is shorter."""
MAX_EVALUATIONS = 512
"""A curve that grows to so many evaluations is halved: neighbours are merged, and the fold starts anew over them."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Thresholds, chosen on the tuning seeds of `benchmarks/judgement.py`.

    `z_*` count standard errors, `share_*` are shares of a curve's span, `hold_*` and `clear` count evaluations.
    """

    scales: tuple[int, ...] = (3, 6, 12, 24, 48, 96)
    """Lengths of the trailing means, in evaluations."""
    neighbours_from: int = 40
    """From so many evaluations on, noise that resembles its neighbours is looked for."""
    selection: float = 1.0
    """How much of the luck of the best of n / m means is taken off."""
    clear: int = 3
    """Evaluations below half the threshold that take a finding back."""
    min_share: float = 0.05
    """Share of the budget before which no overfitting is raised."""

    z_rise: float = 2.5
    share_rise: float = 0.05
    z_train: float = 2.0
    share_train: float = 0.04
    z_learned: float = 3.0
    staying: float = 0.75
    hold_rise: int = 2
    share_rise_alone: float = 0.05
    hold_rise_alone: int = 5

    z_diverge: float = 5.0
    share_diverge: float = 0.1
    staying_diverge: float = 0.85
    hold_diverge: int = 2
    spans_diverge_alone: float = 1.0
    convex: float = 0.35

    windows: tuple[int, ...] = (1, 2, 4, 8, 16, 28)
    num_blocks: int = 8
    z_flat: float = 1.0
    z_slope: float = 2.0
    noises_that_matter: float = 2.0
    share_that_matters: float = 0.025
    horizon_floor: float = 0.25
    hold_plateau: int = 5

    late_share: float = 0.2
    """Share of the budget after which a run should beat its trivial baseline."""
    late_evaluations: int = 20
    """The same where the budget is unknown."""
    z_baseline: float = 4.0
    hold_baseline: int = 2
