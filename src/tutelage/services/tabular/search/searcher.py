"""The search: trials of k folds, each fold a fit in the child, a checkpoint after each fit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tutelage.core.commands import Command
from tutelage.core.ports import Run
from tutelage.services.tabular.catalog import TIMED, direction_of, is_better
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.config.limits import num_trials
from tutelage.services.tabular.errors import FIT_ERRORS, FIT_HINTS
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.fits import FitChild
from tutelage.services.tabular.fitting.ladder import Ladder, Rung
from tutelage.services.tabular.plan import Plan, entry_of, seed_of
from tutelage.services.tabular.search.asked import Asked
from tutelage.services.tabular.search.bounds import Bounds, is_bound
from tutelage.services.tabular.search.laddered import LadderedFits, Limits, Outcome, Size
from tutelage.services.tabular.search.state import COMPLETE, FAILED, PRUNED, State, Trial, load, saver, write_partial
from tutelage.services.tabular.search.study import Study
from tutelage.services.tabular.search.timekeeper import Timekeeper

GIVE_UP_AFTER = 10
"""So many trials lost in a row, and none finished: the search ends and the operation fails."""


class Searcher:
    """Runs trials until the budget is spent or somebody asks to end."""

    def __init__(
        self,
        config: TabularConfig,
        run: Run,
        plan: Plan,
        child: FitChild,
        *,
        started_s: float,
        keeper: Timekeeper,
        ladder: Ladder,
    ) -> None:
        self._config, self._run, self._plan = config, run, plan
        self._keeper, self._ladder = keeper, ladder
        self._fits = LadderedFits(plan, child, ladder, seed=run.seed)
        self._entry = entry_of(config, plan.algorithm)
        self._is_over = False
        self.lost_to = ""
        """Why every trial was lost, where a lighter model may still do."""

        self._previous: Path | None = run.resume()
        self.state = self._resumed()
        self._mark_s = started_s
        self.note_time(searching=False)
        self.asked = Asked(run, on_tune=self._tune, on_checkpoint=self.checkpoint)
        self._bounds = Bounds(self._entry, self.state.bounds)
        self._study = Study(
            self._entry,
            config.hyperparameter_search,
            seed=run.seed,
            objectives=plan.objectives,
            directions=[direction_of(name) for name in plan.objectives],
            finished=self.state.trials,
            num_folds=len(plan.divided.folds),
            entry_for=self._bounds.entry_for,
        )

    @property
    def num_trials(self) -> int:
        """The budget: the config's, or the newest tuned one."""
        return int(self.state.tuned.get("n_trials", num_trials(self._config))) if self._is_searching else 1

    @property
    def _is_searching(self) -> bool:
        return self._config.hyperparameter_search.enabled and bool(self._entry.space)

    def run_trials(self) -> None:
        """Run trials until there is nothing more to do; what was asked is in `asked.ending`."""
        if self._config.hyperparameter_search.enabled and not self._entry.space:
            self._run.log(f"{self._plan.algorithm} has nothing to search for: one trial")
        self._progress("searching")
        self._judge_best()
        self._cap_rows()
        while self._may_go_on():
            self._run_trial()
            self.asked.look()
        if self.asked.ending is None and self.state.best is None and not self._is_over:
            self._explain_loss()

    def checkpoint(self) -> int:
        """Write the state as it stands; return its step."""
        state = self.state
        self.note_time()
        state.forget_predictions()
        metrics = {self._plan.objective: state.best.value} if state.best and state.best.value is not None else {}
        written = self._run.checkpoint(state.num_fits, saver(state, self._previous), metrics)
        self._previous = written or self._previous
        return state.num_fits

    def end_final(self, rounds: int) -> None:
        """Keep the rounds after which the final fit was asked to end: an attempt after this one has no more either."""
        self.note_time(searching=False)
        self.state.final_rounds = rounds
        self.checkpoint()

    def note_time(self, *, searching: bool = True) -> None:
        """Add the time since the last note to what the operation took, and to what the search took."""
        now_s = time.monotonic()
        self.state.work_s += now_s - self._mark_s
        self.state.spent_s += now_s - self._mark_s if searching else 0.0
        self._mark_s = now_s

    def _may_go_on(self) -> bool:
        self.asked.look()
        if self.asked.ending is not None or self.state.stopped or len(self.state.trials) >= self.num_trials:
            return False
        if self._study.is_exhausted(len(self.state.trials)):
            self._run.log(f"the grid's {len(self.state.trials)} points are all tried")
            return False
        lost = [trial.state == FAILED for trial in self.state.trials]
        if len(lost) >= GIVE_UP_AFTER and all(lost):
            return False
        self.note_time()
        timeout = self.state.tuned.get("timeout", self._config.hyperparameter_search.timeout)
        if self.state.trials and timeout is not None and self.state.spent_s >= timeout:
            return False
        return not self._is_over and self._has_room()

    def _has_room(self) -> bool:
        """Tell whether the time limit has room for another trial; the first one is always begun."""
        if self.state.best is None or not self._keeper.budget.is_limited:
            return True
        has_room = self._keeper.has_room(
            self._left_s(self.state.best), [sum(trial.fit_s) for trial in self.state.trials if trial.state == COMPLETE]
        )
        if not has_room:
            self._run.log(f"the time limit has no room for another trial after {len(self.state.trials)}")
        return has_room

    def _left_s(self, *trials: Trial) -> float:
        has_fewer = self.state.fold_rows is not None and self.state.best is not None
        paces = [self._keeper.paces_of(trial.rows, trial.fit_s, same_params=trial.number == 0) for trial in trials]
        return self._keeper.search_left_s(*paces, may_take_all=has_fewer)

    def _cap_rows(self) -> None:
        """Let the folds of a search that begins have as many rows as the time limit has room for."""
        rows = self._keeper.fold_rows()
        if rows is None or self.state.fold_rows is not None or self.state.trials or self.state.current:
            return
        self.state.fold_rows = rows
        whole = self._keeper.work.fold_rows
        reason = f"timeLimit: a fold on {whole} rows is expected to take {self._keeper.fold_s():.3g} s"
        self._ladder.record("rows", whole, self.state.fold_rows, at="search", reason=reason)

    def _run_trial(self) -> None:
        number = len(self.state.trials)
        again = self.state.current
        params = self._study.ask(number, again=again.params if again else None)
        trial = self.state.current = again or Trial(number=number, params=params)
        self.state.predictions.setdefault(number, [])
        for fold in range(len(self._plan.divided.folds)):
            if fold >= len(trial.folds) and not self._run_fold(trial, fold):
                break
            last = fold + 1 == len(self._plan.divided.folds)
            if self._study.should_prune(fold, trial) and not last:
                trial.state, trial.reason = PRUNED, f"ended by the pruner {self._study.pruner} after fold {fold}"
                break
            if not last and self._is_too_long(trial):
                trial.state, trial.reason = PRUNED, f"the time limit has no room for the folds after fold {fold}"
                break
        else:
            trial.state = COMPLETE
        if trial.state in (COMPLETE, PRUNED, FAILED):
            self._finish(trial)

    def _run_fold(self, trial: Trial, fold: int) -> bool:
        """Fit one fold; False when the trial cannot go on: it was lost, or somebody asked to end."""
        is_first, folds_left = self.state.best is None, len(self._plan.divided.folds) - fold
        self._is_over = self._is_over or ((fold > 0 or not is_first) and self._left_s(*self._compared(trial)) <= 0)
        if self._must_end() or self.asked.ending is not None or self._is_over:
            return False
        reporter = self._run.scope(f"trial={trial.number}").scope(f"fold={fold}")
        train, held = self._plan.divided.folds[fold]
        request = messages.Fit(
            algorithm=self._plan.algorithm,
            params=trial.params,
            seed=seed_of(self._run.seed, "fit", trial.number, fold),
            train=train,
            validation=held,
            early_stopping=self._config.options.early_stopping_rounds,
        )

        def on_rounds(rounds: messages.Rounds) -> None:
            for step, values in rounds.points:
                reporter.metric(step, values)

        def limits() -> Limits:
            left_s = self._left_s(*self._compared(trial))
            return self._keeper.fold_limits(left_s, folds_left=folds_left, is_first=is_first)

        outcome = self._fits.ask(
            request,
            Size(cap=self.state.fold_rows, rung=Rung(**trial.rung)),
            limits=limits,
            at=f"trial {trial.number}, fold {fold}",
            on_rounds=on_rounds,
            must_end=self._must_end,
        )
        return self._took_fold(trial, fold, outcome, is_first=is_first)

    def _took_fold(self, trial: Trial, fold: int, outcome: Outcome, *, is_first: bool) -> bool:
        """Enter a fold's outcome; False where the trial cannot go on."""
        answer, size = outcome.answer, outcome.size
        if isinstance(answer, messages.Lost):
            self._is_over = self._is_over or outcome.is_out_of_time
            if answer.reason != "ended" and not self._is_over:
                trial.state, trial.reason = FAILED, f"{answer.reason}: {answer.detail}"
            return False
        missing = [name for name in self._plan.objectives if name not in (*answer.scores, *TIMED)]
        if missing:  # scores of clusters need two of them among the rows held out
            trial.state, trial.reason = FAILED, f"too_few_clusters: no {missing[0]} in fold {fold}"
            return False
        if answer.is_cut and not is_first:  # by the search's end: the score says nothing of the parameters
            self._is_over = True
            return False
        trial.rows, trial.rung = outcome.rows, asdict(size.rung)
        if is_first and size.cap is not None:
            self.state.fold_rows = size.cap
        self._keep_fold(trial, fold, answer)
        return True

    def _compared(self, trial: Trial) -> list[Trial]:
        """Return the trials one of which the closing fits will repeat: the best one, or this one."""
        return [trial] if self.state.best is None else [self.state.best, trial]

    def _is_too_long(self, trial: Trial) -> bool:
        if self.state.best is None or not self._keeper.budget.is_limited:
            return False
        folds_left = len(self._plan.divided.folds) - len(trial.folds)
        return folds_left * sum(trial.fit_s) / len(trial.fit_s) > self._left_s(*self._compared(trial))

    def _must_end(self) -> bool:
        self._keeper.budget.note()
        return self.asked.must_end()

    def _keep_fold(self, trial: Trial, fold: int, fitted: messages.Fitted) -> None:
        objective = self._plan.objective
        timed = {"predict_ms": fitted.predict_ms} if "predict_ms" in self._plan.objectives else {}
        trial.folds.append({**fitted.scores, **timed})
        trial.rounds.append(fitted.num_rounds)
        trial.fit_s.append(fitted.fit_s)
        self.state.predictions[trial.number].append(fitted.predictions)
        self.state.num_fits += 1
        scope = self._run.scope(f"trial={trial.number}")
        scope.metric(fold, {objective: fitted.scores[objective], "fit_s": fitted.fit_s})
        if fitted.num_rounds is None:
            scope.scope(f"fold={fold}").metric(0, {objective: fitted.scores[objective]})
        for text in fitted.warnings:
            self._run.log(f"trial {trial.number}, fold {fold}: {text}", level="warning")
        if self._config.options.verbosity >= 2:
            self._run.log(f"trial {trial.number}, fold {fold}: {objective} {fitted.scores[objective]:.5g}")
        if fold + 1 < len(self._plan.divided.folds):
            self.checkpoint()

    def _finish(self, trial: Trial) -> None:
        """Enter a finished trial into study, state, metrics and checkpoint."""
        state, objective = self.state, self._plan.objective
        values: dict[str, float] = {}
        if trial.state == COMPLETE:
            trial.value = trial.means(objective)[-1]
            trial.values = {name: trial.mean(name) for name in self._plan.objectives}
            values = self._values_of(trial)
        state.trials.append(trial)
        state.current = None
        best = state.best
        if trial.value is not None and (
            best is None or best.value is None or is_better(objective, trial.value, best.value)
        ):
            state.best_number = trial.number
            self._judge_best()
        if state.best and state.best.value is not None:
            values[f"best_{objective}"] = state.best.value
        if values:
            self._run.metric(trial.number, values)
        self._study.tell(trial)
        self._tell(trial)
        write_partial(self._run.dir, state)
        self.checkpoint()

    def _tell(self, trial: Trial) -> None:
        text = f"trial {trial.number} {trial.state}"
        text += f": {self._plan.objective} {trial.value:.5g}" if trial.value is not None else f": {trial.reason}"
        if trial.state == FAILED:
            self._run.log(f"{text}; parameters {trial.params}", level="warning")
        elif self._config.options.verbosity >= 1:
            self._run.log(text)
        self._progress(text)

    def _progress(self, message: str) -> None:
        self._run.progress(len(self.state.trials), self.num_trials, message=message)

    def _judge_best(self) -> None:
        if self.state.best:
            last = self._entry.planned_rounds(self.state.best.params) - 1
            self._run.judge(f"trial={self.state.best.number}/fold=0", until=last)

    def _explain_loss(self) -> None:
        """Every trial was lost: fail with the last one's code; to memory alone, leave it to a lighter model."""
        lost = [trial for trial in self.state.trials if trial.state == FAILED]
        code, _, detail = lost[-1].reason.partition(": ")
        if code == "memory_limit":
            self.lost_to = detail
            return
        raise FIT_ERRORS[code](f"all {len(lost)} trials were lost; the last: {detail}", hint=FIT_HINTS[code])

    def _resumed(self) -> State:
        fingerprint = self._plan.fingerprint
        if self._previous is None:
            return State(fingerprint=fingerprint, operation=self._run.id)
        state = load(self._previous)
        if state.fingerprint != fingerprint:
            self._run.log(
                "the checkpoint's trials were scored on other data, splits or settings: the search starts afresh",
                level="warning",
            )
            return State(fingerprint=fingerprint, num_fits=state.num_fits, operation=self._run.id)
        if state.operation != self._run.id:
            self._take_over(state)
        search = self._config.hyperparameter_search
        for name, value in (("n_trials", search.n_trials), ("timeout", search.timeout)):
            if name in state.tuned and state.tuned_over.get(name) != value:
                del state.tuned[name]
        self._run.log(f"going on after {len(state.trials)} trials and {state.num_fits} fits")
        return state

    def _take_over(self, state: State) -> None:
        """Begin as a branch: a stop of the other operation does not hold here, its finished trials are told anew."""
        state.operation, state.stopped, state.approval, state.final_rounds = self._run.id, False, None, None
        for trial in state.trials:
            if trial.value is not None:
                self._run.metric(trial.number, self._values_of(trial))

    def _values_of(self, trial: Trial) -> dict[str, float]:
        objective = self._plan.objective
        assert trial.value is not None, "a complete trial has a value"
        std = {f"{objective}_std": trial.summary()[objective]["std"]}
        if (error := trial.error(objective, self._plan.divided.folds)) is not None:
            std[f"{objective}_error"] = error
        return {**trial.values, objective: trial.value, **std}

    def _tune(self, command: Command) -> str | None:
        search = self._config.hyperparameter_search
        bounds = {name: value for name, value in command.args.items() if is_bound(name)}
        values, refusal = _tuned(command.args, enabled=self._is_searching, fixed=self._config.deterministic)
        refusal = refusal or (self._tune_bounds(bounds) if bounds else None)
        if refusal:
            return refusal
        current: dict[str, Any] = {"n_trials": search.n_trials, "timeout": search.timeout}
        self.state.tuned.update(values)
        self.state.tuned_over.update({name: current[name] for name in values})
        step = self.checkpoint()
        self._run.applied(command, step=step, detail=_listed({**values, **bounds}))
        self._progress("tuned")
        return None

    def _tune_bounds(self, bounds: Mapping[str, Any]) -> str | None:
        first = len(self.state.trials) + (1 if self.state.current else 0)
        return self._bounds.take(bounds, first=first, sampler=self._config.hyperparameter_search.sampler)


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value:g}" for name, value in values.items())


def _tuned(args: Mapping[str, Any], *, enabled: bool, fixed: bool = False) -> tuple[dict[str, float], str | None]:
    """Return the tuned values but for bounds of the space, or why they cannot be taken."""
    if not enabled:
        return {}, "nothing is searched for: there is one trial, with the defaults"
    bounds = {"n_trials": (1, 100_000), "timeout": (1, 10_000_000)}
    values: dict[str, float] = {}
    for name, value in args.items():
        if is_bound(name):
            continue
        if fixed and name == "timeout":
            return {}, "timeout counts seconds, and the job is deterministic: tune n_trials"
        if name not in bounds:
            return {}, f"{name} cannot be tuned; tunable: {', '.join(bounds)}"
        low, high = bounds[name]
        whole = name != "n_trials" or float(value) == int(value) if isinstance(value, int | float) else False
        if not whole or isinstance(value, bool) or not low <= value <= high:
            return {}, f"{name} must be between {low} and {high}, got {value!r}"
        values[name] = value
    return values, None
