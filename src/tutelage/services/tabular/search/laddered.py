"""Fits that are not lost to a limit: after a loss of memory or time the same fit is asked for in a smaller size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tutelage.services.tabular.catalog import CLASSIFICATION
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.fits import FitChild, MustEnd, OnRounds
from tutelage.services.tabular.fitting.ladder import LEAST_ROWS, TOP, Ladder, Rung
from tutelage.services.tabular.fitting.memory import Need, Shape, shape_of
from tutelage.services.tabular.fitting.subsample import subsample
from tutelage.services.tabular.models.algorithms import REGISTRY
from tutelage.services.tabular.plan import Plan, seed_of

SHRINK = 4
"""A fit that did not end in its time is tried on a fourth of its rows."""


def _never() -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a fit must have ended: politely by itself, and for sure; `by_budget` where the operation's time says so.

    A fit that may not shrink is lost at its deadline: its score would not be comparable.
    """

    hard_s: float = math.inf
    polite_s: float | None = None
    by_budget: bool = False
    may_shrink: bool = True


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of a fit is asked for: a cap on its rows by the time there is, and a rung by the memory there is."""

    cap: int | None = None
    rung: Rung = TOP

    def rows(self, wanted: int) -> int:
        """Return the number of training rows of a fit that wants so many."""
        return int(min(wanted, self.cap or wanted) * self.rung.rows)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A fit as it was asked for in the end: the answer, its size, the training rows it had."""

    answer: messages.Fitted | messages.Lost
    size: Size
    rows: int
    is_out_of_time: bool = False


class LadderedFits:
    """Asks the child for fits, smaller ones where a limit needs it; records every step down."""

    def __init__(self, plan: Plan, child: FitChild, ladder: Ladder, *, seed: int) -> None:
        self._plan, self._child, self._ladder, self._seed = plan, child, ladder, seed
        self._shape: Shape | None = None

    def ask(
        self,
        request: messages.Fit,
        size: Size,
        *,
        limits: Callable[[], Limits],
        at: str,
        on_rounds: OnRounds,
        must_end: MustEnd,
        may_end: MustEnd = _never,
    ) -> Outcome:
        """Return the fit's answer; a Lost where no smaller size is left, or the loss was not to a limit."""
        size = self._within_memory(request, size, at)
        while True:
            bounds = limits()
            asked = self.sized(request, size, polite_s=bounds.polite_s)
            answer = self._child.ask(
                asked, timeout_s=bounds.hard_s, on_rounds=on_rounds, must_end=must_end, may_end=may_end
            )
            smaller = self._after(answer, bounds, request, size, at) if isinstance(answer, messages.Lost) else None
            if smaller is None:
                if bounds.may_shrink:
                    self._tell_cut(answer, asked, at)
                late = isinstance(answer, messages.Lost) and answer.reason == "fit_deadline" and bounds.by_budget
                return Outcome(answer=answer, size=size, rows=len(asked.train), is_out_of_time=late)
            size = smaller

    def sized(self, request: messages.Fit, size: Size, *, polite_s: float | None = None) -> messages.Fit:
        """Return the request with as many rows and rounds as `size` has of them."""
        entry, rows = REGISTRY[request.algorithm], request.train
        labels = self._plan.target[rows] if self._plan.task == CLASSIFICATION else None
        count = size.rows(len(rows))
        seed = seed_of(self._seed, "rows", len(rows), count)
        kept = subsample(rows, count, seed=seed, labels=labels, newest=self._plan.strategy == "timeseries")
        rounds = request.rounds
        if size.rung.rounds < 1 and entry.rounds is not None:
            rounds = max(1, int(entry.planned_rounds(request.params, rounds) * size.rung.rounds))
        return replace(request, train=kept, rounds=rounds, time_s=polite_s if entry.rounds else None)

    def _within_memory(self, request: messages.Fit, size: Size, at: str) -> Size:
        need = self._need(request, size)
        free = self._child.free_bytes
        rung = need.rung_within(free, size.rung, has_rounds=REGISTRY[request.algorithm].rounds is not None)
        if rung != size.rung:
            taking, left = need.at(size.rung) / 2**20, free / 2**20
            reason = f"the fit is expected to take {taking:.0f} MiB, and {left:.0f} are free"
            self._record(request, size, rung, at, reason)
        return replace(size, rung=rung)

    def _after(self, lost: messages.Lost, bounds: Limits, request: messages.Fit, size: Size, at: str) -> Size | None:
        """Return the size to go on with after a loss, or None."""
        if lost.reason == "memory_limit":
            has_rounds = REGISTRY[request.algorithm].rounds is not None
            wanted = min(len(request.train), size.cap or len(request.train))
            rung = size.rung.next(num_rows=wanted, has_rounds=has_rounds)
            if rung is None:
                return None
            self._record(request, size, rung, at, lost.detail)
            return replace(size, rung=rung)
        rows = size.rows(len(request.train))
        if lost.reason != "fit_deadline" or not (bounds.by_budget and bounds.may_shrink) or rows < 2 * LEAST_ROWS:
            return None
        cap = max(LEAST_ROWS, rows // SHRINK)
        self._ladder.record("rows", rows, cap, at=at, reason=f"{lost.detail}, for the time limit")
        return replace(size, cap=int(cap / size.rung.rows))

    def _record(self, request: messages.Fit, size: Size, rung: Rung, at: str, reason: str) -> None:
        rounds = REGISTRY[request.algorithm].planned_rounds(request.params, request.rounds)
        wanted = min(len(request.train), size.cap or len(request.train))
        self._ladder.record_rung(size.rung, rung, num_rows=wanted, rounds=rounds, at=at, reason=reason)

    def _tell_cut(self, answer: Any, asked: messages.Fit, at: str) -> None:
        if isinstance(answer, messages.Fitted) and answer.is_cut:
            planned = REGISTRY[asked.algorithm].planned_rounds(asked.params, asked.rounds)
            reason = f"its share of the time limit, {asked.time_s:.3g} s, was over"
            self._ladder.record("rounds", planned, answer.num_rounds, at=at, reason=reason)

    def _need(self, request: messages.Fit, size: Size) -> Need:
        if self._shape is None:
            self._shape = shape_of(self._child.loaded)
        params = request.params
        return Need(
            shape=self._shape,
            algorithm=request.algorithm,
            rows=min(len(request.train), size.cap or len(request.train)),
            held_rows=0 if request.validation is None else len(request.validation),
            trees=int(params.get("n_estimators", 0)),
            least_in_leaf=int(params.get("min_samples_leaf", 1)),
        )
