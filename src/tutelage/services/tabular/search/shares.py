"""How the time is shared: so much to the search's first trial, the rest kept for the final fit, the refit, the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tutelage.services.tabular.catalog import ALGORITHMS
from tutelage.services.tabular.fitting.ladder import LEAST_ROWS
from tutelage.services.tabular.fitting.pace import Pace, rows_within

COMFORT = 0.8
"""Share of the time that everything on all rows may be expected to take before rows are given up."""

CLOSING_SHARE = 0.45
"""Of the time at the search's start: at most so much is kept for the closing fits."""

PART_USED = 0.85
"""How much of its share a fit is planned to take: the rest is for a machine that is slower than measured."""

VALIDATING_SHARE = 0.2
"""What a final fit without rounds may take: it only validates, and the refit is what is kept."""

MORE_USED, MORE_ROWS = 0.9, 1.1
"""A refit on more rows is planned to take so much of what is left, and needs so many times the rows."""

RESERVE_FACTOR = 1.25
LEAST_WITH_ROUNDS = 3_000
"""What learns in rounds gets so many rows before any are given up: it ends at its deadline with fewer rounds."""

HARD_FACTOR = 1.5
"""A fit is killed after so many times the time after which it was to end by itself."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """An operation's fits by their training rows: the folds, the final fit, the refit on all rows."""

    num_folds: int
    fold_rows: int
    final_rows: int
    all_rows: int


@dataclass(frozen=True, kw_only=True)
class Paces:
    """What was measured: a fit with its scoring, and what keeping, testing and explaining a model takes after it."""

    fit: Pace
    keep: Pace

    def times(self, factor: float, *, same_params: bool = False) -> Paces:
        """Return the paces of other parameters; keeping grows with them, as their models do.

        Of the same parameters only the fit is corrected: keeping their model was measured by itself.
        """
        keep = self.keep if same_params else self.keep.times(max(1.0, factor))
        return Paces(fit=self.fit.times(factor), keep=keep)

    def closing(self, work: Work) -> Sequence[tuple[Pace, float]]:
        """Return final fit, refit and keeping, each with its share of the rows."""
        return [(self.fit, work.final_rows / work.all_rows), (self.fit, 1.0), (self.keep, 1.0)]

    def closing_s(self, work: Work) -> float:
        """Return what the closing fits take on all rows."""
        return sum(pace.seconds(share * work.all_rows) for pace, share in self.closing(work))


def fold_rows(paces: Paces, work: Work, usable_s: float) -> int:
    """Return a fold's training rows with which a first trial and the closing fits fit in; all where they do."""
    closing_s = paces.closing_s(work)
    if work.num_folds * paces.fit.seconds(work.fold_rows) + closing_s <= COMFORT * usable_s:
        return work.fold_rows
    share_s = (usable_s - min(RESERVE_FACTOR * closing_s, CLOSING_SHARE * usable_s)) / work.num_folds
    return rows_within(paces.fit, PART_USED * share_s, most=work.fold_rows)


def reserve_s(paces: Paces, work: Work, usable_s: float, *, share: float = CLOSING_SHARE) -> float:
    """Return what the search must leave of the `usable_s` that it began with, at most a share of it."""
    return min(RESERVE_FACTOR * paces.closing_s(work), share * usable_s)


def closing_rows(paces: Paces, work: Work, usable_s: float) -> int:
    """Return the training rows of the refit with which the closing fits fit into what is left."""
    return rows_within(paces.closing(work), PART_USED**2 * usable_s, most=work.all_rows)


def final_rows(paces: Paces, work: Work, usable_s: float) -> int:
    """Return the rows, counted as the refit's, of a final fit that fixes no rounds: it only validates."""
    share = work.final_rows / work.all_rows
    return rows_within([(paces.fit, share)], VALIDATING_SHARE * usable_s, most=work.all_rows)


def refit_rows(paces: Paces, work: Work, usable_s: float) -> int:
    """Return the training rows with which the refit, its test and explanation fit into what is left."""
    return rows_within([(paces.fit, 1.0), (paces.keep, 1.0)], PART_USED * usable_s, most=work.all_rows)


def more_rows(paces: Paces, rows: int, left_s: float, *, most: int) -> int | None:
    """Return the rows of another refit for which `left_s` has room, or None where they are hardly more than `rows`."""
    found = rows_within([(paces.fit, 1.0), (paces.keep, 1.0)], MORE_USED * left_s, most=most)
    return found if found >= min(MORE_ROWS * rows, most) > rows else None


def least_rows(algorithm: str, wanted: int) -> int:
    """Return the rows below which the time limit does not reduce a fit that wants so many."""
    return min(wanted, LEAST_WITH_ROUNDS if ALGORITHMS[algorithm].has_rounds else LEAST_ROWS)
