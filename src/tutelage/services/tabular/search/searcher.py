"""The search: trials of k folds, each fold a fit in the child, a checkpoint after each fit."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tutelage.core.commands import Command
from tutelage.core.ports import Run
from tutelage.services.tabular.catalog import TIMED, direction_of, is_better
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.errors import FIT_ERRORS, FIT_HINTS
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.fits import FitChild
from tutelage.services.tabular.models.algorithms import REGISTRY, with_space
from tutelage.services.tabular.plan import Plan, seed_of
from tutelage.services.tabular.search.asked import Asked
from tutelage.services.tabular.search.state import COMPLETE, FAILED, PRUNED, State, Trial, load, saver, write_partial
from tutelage.services.tabular.search.study import Study

GIVE_UP_AFTER = 10
"""So many trials lost in a row, and none finished: the search ends and the operation fails."""


class Searcher:
    """Runs trials until the budget is spent or somebody asks to end."""

    def __init__(self, config: TabularConfig, run: Run, plan: Plan, child: FitChild, *, started_s: float) -> None:
        self._config, self._run, self._plan, self._child = config, run, plan, child
        self._entry = with_space(REGISTRY[plan.algorithm], config.hyperparameter_search.space)
        self._previous: Path | None = run.resume()
        self.state = self._resumed()
        self._mark_s = started_s
        self.note_time(searching=False)
        self.asked = Asked(run, on_tune=self._tune, on_checkpoint=self.checkpoint)
        self._study = Study(
            self._entry,
            config.hyperparameter_search,
            seed=run.seed,
            objectives=plan.objectives,
            directions=[direction_of(name) for name in plan.objectives],
            finished=self.state.trials,
            num_folds=len(plan.divided.folds),
        )

    @property
    def num_trials(self) -> int:
        """The budget: the config's, or the newest tuned one."""
        search = self._config.hyperparameter_search
        return int(self.state.tuned.get("n_trials", search.n_trials)) if self._is_searching else 1

    @property
    def _is_searching(self) -> bool:
        return self._config.hyperparameter_search.enabled and bool(self._entry.space)

    def run_trials(self) -> None:
        """Run trials until there is nothing more to do; what was asked is in `asked.ending`."""
        if self._config.hyperparameter_search.enabled and not self._entry.space:
            self._run.log(f"{self._plan.algorithm} has nothing to search for: one trial")
        self._progress("searching")
        self._judge_best()
        while self._may_go_on():
            self._run_trial()
            self.asked.look()
        if self.asked.ending is None and self.state.best is None:
            self._fail()

    def checkpoint(self) -> int:
        """Write the state as it stands; return its step."""
        state = self.state
        self.note_time()
        state.forget_predictions()
        metrics = {self._plan.objective: state.best.value} if state.best and state.best.value is not None else {}
        written = self._run.checkpoint(state.num_fits, saver(state, self._previous), metrics)
        self._previous = written or self._previous
        return state.num_fits

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
        return not (self.state.trials and timeout is not None and self.state.spent_s >= timeout)

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
        else:
            trial.state = COMPLETE
        if trial.state in (COMPLETE, PRUNED, FAILED):
            self._finish(trial)

    def _run_fold(self, trial: Trial, fold: int) -> bool:
        """Fit one fold; False when the trial cannot go on: it was lost, or somebody asked to end."""
        if self.asked.must_end() or self.asked.ending is not None:
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

        answer = self._child.ask(
            request,
            timeout_s=self._config.options.fit_timeout,
            on_rounds=on_rounds,
            must_end=self.asked.must_end,
        )
        if isinstance(answer, messages.Lost):
            if answer.reason != "ended":
                trial.state, trial.reason = FAILED, f"{answer.reason}: {answer.detail}"
            return False
        missing = [name for name in self._plan.objectives if name not in (*answer.scores, *TIMED)]
        if missing:  # scores of clusters need two of them among the rows held out
            trial.state, trial.reason = FAILED, f"too_few_clusters: no {missing[0]} in fold {fold}"
            return False
        self._keep_fold(trial, fold, answer)
        return True

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
            self._run.judge(f"trial={self.state.best.number}/fold=0")

    def _fail(self) -> None:
        """Every trial was lost: fail with the last one's code."""
        lost = [trial for trial in self.state.trials if trial.state == FAILED]
        code, _, detail = lost[-1].reason.partition(": ")
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
        state.operation, state.stopped, state.approval = self._run.id, False, None
        for trial in state.trials:
            if trial.value is not None:
                self._run.metric(trial.number, self._values_of(trial))

    def _values_of(self, trial: Trial) -> dict[str, float]:
        objective = self._plan.objective
        assert trial.value is not None, "a complete trial has a value"
        std = {f"{objective}_std": trial.summary()[objective]["std"]}
        return {**trial.values, objective: trial.value, **std}

    def _tune(self, command: Command) -> str | None:
        search = self._config.hyperparameter_search
        values, refusal = _tuned(command, enabled=self._is_searching)
        if refusal:
            return refusal
        current: dict[str, Any] = {"n_trials": search.n_trials, "timeout": search.timeout}
        self.state.tuned.update(values)
        self.state.tuned_over.update({name: current[name] for name in values})
        step = self.checkpoint()
        self._run.applied(command, step=step, detail=", ".join(f"{name} = {value:g}" for name, value in values.items()))
        self._progress("tuned")
        return None


def _tuned(command: Command, *, enabled: bool) -> tuple[dict[str, float], str | None]:
    """Return the tuned values, or why they cannot be taken."""
    if not enabled:
        return {}, "nothing is searched for: there is one trial, with the defaults"
    bounds = {"n_trials": (1, 100_000), "timeout": (1, 10_000_000)}
    values: dict[str, float] = {}
    for name, value in command.args.items():
        if name not in bounds:
            return {}, f"{name} cannot be tuned; tunable: {', '.join(bounds)}"
        low, high = bounds[name]
        whole = name != "n_trials" or float(value) == int(value) if isinstance(value, int | float) else False
        if not whole or isinstance(value, bool) or not low <= value <= high:
            return {}, f"{name} must be between {low} and {high}, got {value!r}"
        values[name] = value
    return values, None
