"""What reporting costs a training step of 10 ms, and how soon a watcher sees a metric."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.report import Figure, Report
from benchmarks.support.homes import supervised
from benchmarks.support.timing import cost_of, quantile
from tutelage.core.clock import now_s
from tutelage.core.events import EventKind
from tutelage.core.layout import OperationFiles
from tutelage.run import FileRun
from tutelage.testing.fake import SERVICE, FakeConfig, Problem

STEP_S = 0.010
BLOCK_STEPS = 40
"""Steps of one block: 0.4 s, so that the journal's thread writes twice in each."""

WATCHED_STEP_S = 0.037
"""No divisor of the journal's 200 ms, so that the steps fall anywhere between two flushes."""

Step = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Block:
    """CPU seconds of one step, the mean of a block: of all, and of the reporting alone."""

    all_s: float
    reporting_s: float


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Blocks that ran in turn, bare and reporting."""

    bare: Sequence[Block]
    told: Sequence[Block]

    @property
    def direct_s(self) -> float:
        """What reporting takes of a step, timed around it: the median of the reporting blocks."""
        return statistics.median(block.reporting_s for block in self.told)

    @property
    def differences_s(self) -> list[float]:
        """By how much a step with reporting is longer than a bare one, for each pair."""
        return [told.all_s - bare.all_s for bare, told in zip(self.bare, self.told, strict=True)]

    @property
    def noise_s(self) -> float:
        """How uncertain the differences are: the standard error of their mean."""
        return statistics.stdev(self.differences_s) / len(self.bare) ** 0.5


def run(*, quick: bool) -> Report:
    """Measure all of it in temporary folders."""
    with tempfile.TemporaryDirectory(prefix="tutelage-bench-") as name:
        folder = Path(name)
        pairs = time_pairs(folder / "runs", computing_step(), num_pairs=10 if quick else 75)
        lags_ms = watch(folder / "home", num_steps=80 if quick else 600)
    return Report(name="overhead", figures=_figures(pairs, lags_ms))


def time_pairs(folder: Path, work: Step, *, num_pairs: int) -> Pairs:
    """Run blocks of steps in turn, bare and reporting; which of a pair comes first changes from pair to pair."""
    bare, told = [], []
    for pair in range(num_pairs):
        if pair % 2:
            bare.append(run_block(work, _silent))
        with reporting(folder / str(pair)) as tell:
            told.append(run_block(work, tell))
        if not pair % 2:
            bare.append(run_block(work, _silent))
    return Pairs(bare=bare, told=told)


def run_block(work: Step, tell: Step) -> Block:
    """Run one block; its reporting is what `tell` takes of this thread, and all that other threads take."""
    telling_s = 0.0
    process_s, thread_s = time.process_time(), time.thread_time()
    for step in range(BLOCK_STEPS):
        work(step)
        began_s = time.thread_time()
        tell(step)
        telling_s += time.thread_time() - began_s
    thread_s = time.thread_time() - thread_s
    process_s = time.process_time() - process_s
    others_s = max(0.0, process_s - thread_s)
    return Block(all_s=process_s / BLOCK_STEPS, reporting_s=(telling_s + others_s) / BLOCK_STEPS)


def _silent(step: int) -> None:
    """Report nothing."""


@contextmanager
def reporting(folder: Path) -> Iterator[Step]:
    """Open a run and yield what a training calls at each step: five metrics, the progress, a look for commands."""
    reporter = FileRun(files=OperationFiles(folder), service=SERVICE, attempt=1)

    def tell(step: int) -> None:
        at = step + 0.123456789
        reporter.metric(step, train_loss=at, val_loss=at, lr=3e-4, grad_norm=at / 7, tokens_per_s=at * 1000)
        reporter.progress(step, 100_000, message="training")
        reporter.next_command()

    tell(0)
    reporter.flush()
    try:
        yield tell
    finally:
        reporter.close()


def computing_step() -> Step:
    """Return a step of about 10 ms of true computation: gradient steps of the fake service's regression."""
    problem = Problem.of(FakeConfig(rows=40, features=5), seed=42)
    single_s = min(cost_of(lambda: problem.step(0.01)).cpu_s for _ in range(200))
    num_gradients = max(1, round(STEP_S / single_s))

    def work(step: int) -> None:
        for _ in range(num_gradients):
            problem.step(0.01)

    return work


def watch(home: Path, *, num_steps: int) -> list[float]:
    """Train under a real supervisor and return, for each metric event, the ms from its report to a watcher's screen."""
    config = {"steps": num_steps, "step_s": WATCHED_STEP_S, "checkpoint_every": 0}
    lags_ms = []
    with supervised(home) as client:
        operation = client.submit({"service": "fake", "name": "watched", "config": config})
        for event in client.stream(operation.id):
            if event.kind is EventKind.METRIC and event.step is not None:
                reported = datetime.fromisoformat(event.at)
                lags_ms.append((now_s() - reported.timestamp()) * 1000)
    assert len(lags_ms) >= num_steps, "every metric arrived"
    return lags_ms


def _figures(pairs: Pairs, lags_ms: Sequence[float]) -> list[Figure]:
    share = 100 / STEP_S
    bare_ms = statistics.median(block.all_s for block in pairs.bare) * 1000
    return [
        Figure(key="reporting_overhead_pct", value=pairs.direct_s * share, unit="%", at_most=1),
        Figure(key="us_per_step", value=pairs.direct_s * 1e6, unit="us"),
        Figure(key="loop_overhead_pct", value=statistics.median(pairs.differences_s) * share, unit="%"),
        Figure(key="loop_noise_pct", value=pairs.noise_s * share, unit="%"),
        Figure(key="bare_step_ms", value=bare_ms, unit="ms"),
        Figure(key="visible_p50_ms", value=quantile(lags_ms, 0.5), unit="ms"),
        Figure(key="visible_p99_ms", value=quantile(lags_ms, 0.99), unit="ms", at_most=500),
    ]
