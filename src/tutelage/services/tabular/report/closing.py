"""The closing fits end with a model whatever happens: in the size that there is room for, a lighter one at last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tutelage.core.ports import Run
from tutelage.services.tabular.budget import EXPLAIN_SHARE, LEAST_S
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.fits import FitChild, OnRounds
from tutelage.services.tabular.fitting.ladder import Ladder, Rung, lighter_than
from tutelage.services.tabular.fitting.pace import Pace, pace_of, power_of
from tutelage.services.tabular.models.algorithms import REGISTRY
from tutelage.services.tabular.plan import Plan, answered
from tutelage.services.tabular.search.asked import Asked
from tutelage.services.tabular.search.laddered import LadderedFits, Limits, Outcome, Size
from tutelage.services.tabular.search.shares import Paces, closing_rows, final_rows, least_rows, more_rows, refit_rows
from tutelage.services.tabular.search.state import Trial
from tutelage.services.tabular.search.timekeeper import Timekeeper

FINAL, REFIT = "final", "refit"
POLITE_FINAL, HARD_FINAL = 0.36, 0.5
POLITE_REFIT, HARD_REFIT = 0.75, 0.85
"""Shares of what is left after which a closing fit ends by itself, and is killed."""

LEAST_POLITE = 0.3
"""What learning is given of what is left, however long keeping the model is expected to take."""

LIGHT_ROWS = 2_000
"""Rows of a lighter model that is fitted because the time is over."""


class Closing:
    """Fits `final` and `refit`; `algorithm`, `params` and `rows` are those of the last fit."""

    def __init__(
        self,
        config: TabularConfig,
        run: Run,
        plan: Plan,
        child: FitChild,
        asked: Asked,
        *,
        keeper: Timekeeper,
        ladder: Ladder,
        chosen: Trial,
        final_rounds: int | None = None,
        on_ended: Callable[[int], None],
    ) -> None:
        """Take the chosen trial; `final_rounds` are those after which an earlier attempt was asked to end `final`.

        `on_ended` keeps the rounds of a `final` that is asked to end now.
        """
        self.algorithm, self.params, self.rows = plan.algorithm, chosen.params, 0
        self.fold_rounds = [count for count in chosen.rounds if count is not None]
        self._task, self._asked, self._keeper, self._ladder = plan.task, asked, keeper, ladder
        self._fits = LadderedFits(plan, child, ladder, seed=run.seed)
        self._rung = Rung(**chosen.rung)
        self._paces = keeper.paces_of(chosen.rows, chosen.fit_s, same_params=chosen.number == 0)
        self._fit_timeout_s = config.fit_timeout_s
        self._cap: int | None = None
        self._final_rounds, self._on_ended = final_rounds, on_ended

    def go_lighter(self, reason: str, *, at: str = FINAL) -> bool:
        """Change to the lighter algorithm with its defaults; False where there is none."""
        lighter = lighter_than(self.algorithm, self._task)
        if lighter is None:
            return False
        self._ladder.record("model", self.algorithm, lighter, at=at, reason=reason)
        self.algorithm, self.params = lighter, dict(REGISTRY[lighter].defaults)
        self._paces = None
        return True

    @property
    def last_round(self) -> int:
        """The round with which `final` is planned to end."""
        return REGISTRY[self.algorithm].planned_rounds(self.params, self._final_rounds) - 1

    def fit_final(self, request: messages.Fit, *, on_rounds: OnRounds) -> messages.Fitted | None:
        """Return the validated fit, which a stop ends with the round it is in; as `fit` otherwise."""
        self._asked.has_rounds_to_end = REGISTRY[self.algorithm].rounds is not None
        fitted = self.fit(replace(request, rounds=self._final_rounds), scope=FINAL, on_rounds=on_rounds)
        self._asked.has_rounds_to_end = False
        if fitted is None or not self._asked.may_end:
            return fitted
        if fitted.is_ended and fitted.num_rounds:
            self._on_ended(fitted.num_rounds)
            detail = (
                f"final ended after {fitted.num_rounds} rounds; the model is kept with the best {fitted.best_rounds}"
            )
            self._asked.answer(step=fitted.num_rounds - 1, detail=detail)
        else:
            self._asked.answer(step=None, detail="final had ended; refit and test are finished")
        return fitted

    def fit(self, request: messages.Fit, *, scope: str, on_rounds: OnRounds) -> messages.Fitted | None:
        """Return the fit; None when somebody asked to end. Raises the operation's error when the lightest was lost."""
        request = self._explained(request)
        self._cap = self._room(scope, len(request.train))
        while True:
            asked = self._with_model(request)
            size = Size(cap=self._cap, rung=self._rung)
            outcome = self._fits.ask(
                asked,
                size,
                limits=self._limits(scope),
                at=scope,
                on_rounds=on_rounds,
                must_end=self._must_end,
                may_end=lambda: self._asked.may_end,
            )
            if isinstance(outcome.answer, messages.Fitted):
                self._learn_from(outcome, outcome.answer, scope)
                return outcome.answer
            if outcome.answer.reason == "ended":
                return None
            self._after_loss(outcome, outcome.answer, scope)

    def room_for_more(self, fitted: messages.Fitted, wanted: int) -> int | None:
        """Return the rows of another refit for which there is time, by what this one took; None: no use in one."""
        if self._limit_s is None or self.rows >= wanted or self._rung != Rung() or fitted.is_cut:
            return None
        fit = pace_of([(self.rows, fitted.fit_s)], power=power_of(self.algorithm))
        half_s = fitted.keep_s / 2  # testing the model grows with it, shuffling its columns has a fixed time
        keep = Pace(power=1.0, fixed_s=half_s, slope_s=half_s / self.rows)
        return more_rows(Paces(fit=fit, keep=keep), self.rows, self._left_s(), most=wanted)

    def fit_more(self, request: messages.Fit, rows: int, *, on_rounds: OnRounds) -> messages.Fitted | None:
        """Return the refit on more rows; None where time or memory had no room for it: the one before is kept."""
        asked, size = self._with_model(self._explained(request)), Size(cap=rows, rung=self._rung)
        limits = Limits(hard_s=max(LEAST_S / 2, self._left_s()), by_budget=True, may_shrink=False)
        outcome = self._fits.ask(
            asked, size, limits=lambda: limits, at=REFIT, on_rounds=on_rounds, must_end=self._must_end
        )
        if not isinstance(outcome.answer, messages.Fitted) or outcome.rows <= self.rows:
            return None
        self._ladder.record("rows", self.rows, outcome.rows, at=REFIT, reason="timeLimit: time was left for more rows")
        self.rows = outcome.rows
        return outcome.answer

    @property
    def _limit_s(self) -> float | None:
        return self._keeper.budget.limit_s

    def _explained(self, request: messages.Fit) -> messages.Fit:
        """Return the request with the time that shuffling the columns may take."""
        return replace(request, explain_s=None if self._limit_s is None else EXPLAIN_SHARE * self._limit_s)

    def _with_model(self, request: messages.Fit) -> messages.Fit:
        """Return the request for the algorithm as it is now; another one has rounds of its own and no threshold."""
        if request.algorithm == self.algorithm:
            return request
        return replace(
            request, algorithm=self.algorithm, params=self.params, rounds=None, threshold=None, calibrator=None
        )

    def _room(self, scope: str, wanted: int) -> int | None:
        """Return the rows that what is left has room for; None for all of them."""
        if self._paces is None or self._limit_s is None:
            return self._cap
        rows_of = refit_rows
        if scope == FINAL:
            rows_of = final_rows if REGISTRY[self.algorithm].rounds is None else closing_rows
        work = self._keeper.work
        rows = int(rows_of(self._paces, work, self._keeper.budget.usable_s) * wanted / work.all_rows)
        rows = max(least_rows(self.algorithm, wanted), rows)
        if rows >= wanted:
            return None
        taking_s, left_s = self._paces.fit.seconds(wanted), self._left_s()
        reason = f"timeLimit: {wanted} rows are expected to take {taking_s:.3g} s, and {left_s:.3g} s are left"
        self._ladder.record("rows", wanted, rows, at=scope, reason=reason)
        return rows

    def _limits(self, scope: str) -> Callable[[], Limits]:
        polite, hard = (POLITE_FINAL, HARD_FINAL) if scope == FINAL else (POLITE_REFIT, HARD_REFIT)

        def limits() -> Limits:
            if self._limit_s is None:
                return Limits(hard_s=self._fit_timeout_s)
            left_s = self._left_s()
            hard_s = max(LEAST_S, hard * left_s) + (EXPLAIN_SHARE * self._limit_s if scope == REFIT else 0.0)
            polite_s = max(LEAST_S / 4, LEAST_POLITE * left_s, polite * left_s - self._keep_s(scope))
            if self._fit_timeout_s <= hard_s:
                return Limits(hard_s=self._fit_timeout_s, polite_s=polite_s)
            return Limits(hard_s=hard_s, polite_s=polite_s, by_budget=True)

        return limits

    def _keep_s(self, scope: str) -> float:
        if scope == FINAL or self._paces is None:
            return 0.0
        return self._paces.keep.seconds(self._cap or self._keeper.work.all_rows)

    def _left_s(self) -> float:
        return max(0.0, self._keeper.budget.usable_s)

    def _learn_from(self, outcome: Outcome, fitted: messages.Fitted, scope: str) -> None:
        """Correct the pace by what a fit took, per round where the next fit has other rounds."""
        self.rows, self._rung = outcome.rows, outcome.size.rung
        if scope != FINAL:
            return
        rounds = (fitted.best_rounds or 1) / (fitted.num_rounds or 1)
        fit_s = fitted.fit_s * rounds
        if self._paces is None:
            fit = pace_of([(outcome.rows, fit_s)], power=power_of(self.algorithm))
            self._paces = Paces(fit=fit, keep=fit)
        else:
            self._paces = self._paces.times(fit_s / self._paces.fit.seconds(outcome.rows), same_params=True)

    def _after_loss(self, outcome: Outcome, lost: messages.Lost, scope: str) -> None:
        """Go on with a lighter model after a loss to a limit. Raises the operation's error where there is none."""
        is_ours = lost.reason == "memory_limit" or outcome.is_out_of_time
        if not is_ours or not self.go_lighter(lost.detail, at=scope):
            answered(lost)
        self._rung = outcome.size.rung
        if outcome.is_out_of_time:
            self._cap = min(LIGHT_ROWS, outcome.size.cap or LIGHT_ROWS)

    def _must_end(self) -> bool:
        self._keeper.budget.note()
        return self._asked.must_end()
