"""Contract suites: subclass one in your tests, and it proves that your part keeps its side.

```python
class TestMyService(ServiceContract):
    service = "my_package:SERVICE"
    config = {"steps": 50}
    request = {"features": [1.0, 2.0]}
```
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from tutelage.core import wire
from tutelage.core.commands import Command, Verb
from tutelage.core.errors import IdempotencyConflict, IllegalCommand, InvalidSpec, NotFound
from tutelage.core.events import EventKind
from tutelage.core.operation import State
from tutelage.core.paths import is_path_key
from tutelage.core.ports import Platform
from tutelage.core.service import Service, load
from tutelage.testing.workbench import Workbench

HEAVY = ("torch", "sklearn", "xgboost", "lightgbm", "optuna", "mlflow", "numpy", "pandas")
ENDS_BY_COMMAND = {Verb.PAUSE: "paused", Verb.CANCEL: "cancelled"}


class ServiceContract:
    """What every service must hold to.

    `service` is its dotted path, `config` a training of a few seconds with at least two checkpoints, `request` one
    for its model (None where it has none), `volatile` the metrics that measure time and may differ between runs.
    """

    service: ClassVar[str]
    config: ClassVar[Mapping[str, Any]]
    request: ClassVar[Mapping[str, Any] | None] = None
    volatile: ClassVar[frozenset[str]] = frozenset()

    @pytest.fixture
    def declared(self) -> Service:
        """The service's declaration."""
        found: Service = load(self.service)
        return found

    @pytest.fixture
    def bench(self, tmp_path: Path, declared: Service) -> Iterator[Workbench]:
        """A bench with the config."""
        made = self.make_bench(tmp_path, declared)
        yield made
        made.kill()

    def make_bench(self, folder: Path, declared: Service) -> Workbench:
        """Return a fresh bench with the config."""
        spec = {"service": declared.name, "config": dict(self.config), "seed": 7}
        return Workbench(folder / "home", spec, services={declared.name: self.service})

    def test_registering_imports_no_library(self, declared: Service) -> None:
        """The declaration and the config model cost no heavy import."""
        code = (
            "import sys; from tutelage.core.service import load; "
            f"load(load({self.service!r}).config); print([m for m in {HEAVY!r} if m in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"

    def test_the_declaration_is_sound(self, declared: Service) -> None:
        """Every dotted path loads; metrics, pairs, objective and tunables fit together."""
        for dotted in (declared.config, declared.train, declared.use, declared.read, declared.inspect):
            assert dotted is None or callable(load(dotted))
        names = [metric.name for metric in declared.metrics]
        assert len(names) == len(set(names))
        assert all(metric.about for metric in declared.metrics)
        assert all(metric.pairs in names for metric in declared.metrics if metric.pairs)
        directed = {metric.name for metric in declared.metrics if metric.direction}
        assert declared.objective is None or declared.objective in directed
        assert all(tunable.low < tunable.high and tunable.about for tunable in declared.tunables)
        assert declared.supports <= {"checkpoint", "branch", "tune"}

    def test_the_config_explains_itself_and_takes_nothing_unknown(self, declared: Service) -> None:
        """Every field has a description; an unknown key is an error; a path is named as one."""
        model: type[BaseModel] = load(declared.config)
        for name, entry in model.model_fields.items():
            assert entry.description, f"{name} has no description"
            if entry.annotation in (Path, Path | None):
                assert is_path_key(name)
        with pytest.raises(Exception, match="nosuchsetting"):
            model.model_validate({**self.config, "nosuchsetting": 1})
        json.dumps(model.model_json_schema())

    def test_presets_are_valid(self, declared: Service) -> None:
        """Every preset completes the test's config."""
        for preset in declared.presets.values():
            load(declared.config).model_validate({**self.config, **preset})

    def test_it_trains_to_a_result(self, declared: Service, bench: Workbench) -> None:
        """The first event comes before any library; metrics are declared; the result is JSON; the model answers."""
        bench.start()
        assert bench.ended() == 0, bench.log_tail()
        events = bench.events()
        assert events[0].kind is EventKind.ATTEMPT_STARTED
        assert events[-1].kind is EventKind.RESULT
        known = {metric.name for metric in declared.metrics}
        for event in bench.events(EventKind.METRIC):
            known |= set(event.data.get("define", {}))
        assert {metric for _, metric, _ in bench.points()} <= known
        assert isinstance(bench.result(), dict)
        if self.request is not None and declared.use is not None:
            answer = bench.use(self.request)
            assert "error" not in answer, answer

    def test_killed_and_resumed_it_reports_the_same_numbers(self, declared: Service, tmp_path: Path) -> None:
        """Kill -9 after the first checkpoint, resume: every number equals the undisturbed run's."""
        calm, killed = self.make_bench(tmp_path / "calm", declared), self.make_bench(tmp_path / "killed", declared)
        calm.start()
        assert calm.ended() == 0, calm.log_tail()
        killed.start()
        killed.until(lambda: killed.events(EventKind.CHECKPOINT))
        killed.kill()
        assert not killed.files.result.exists()
        killed.start()
        assert killed.ended() == 0, killed.log_tail()
        assert killed.events()[0].data["from_step"] is not None
        assert self._lasting(killed) == self._lasting(calm)

    @pytest.mark.parametrize("verb", [Verb.STOP, Verb.PAUSE, Verb.CANCEL])
    def test_it_follows_what_ends_it(self, declared: Service, bench: Workbench, verb: Verb) -> None:
        """Stop ends well with a result; pause and cancel leave a checkpoint and none; each is confirmed."""
        bench.start()
        bench.until(lambda: bench.events(EventKind.CHECKPOINT))
        command = bench.ask(verb)
        assert bench.ended() == 0, bench.log_tail()
        answers = [event.data for event in bench.events(EventKind.APPLIED)]
        assert [(answer["id"], answer["status"]) for answer in answers] == [(command.id, "applied")]
        if verb is Verb.STOP:
            assert bench.files.result.exists()
        else:
            assert bench.events(EventKind.STATE)[-1].data["state"] == ENDS_BY_COMMAND[verb]
            assert not bench.files.result.exists()

    def test_paused_and_resumed_it_reports_the_same_numbers(self, declared: Service, tmp_path: Path) -> None:
        """Pause, resume: every number equals the undisturbed run's."""
        calm, paused = self.make_bench(tmp_path / "calm", declared), self.make_bench(tmp_path / "paused", declared)
        calm.start()
        assert calm.ended() == 0, calm.log_tail()
        paused.start()
        paused.until(lambda: paused.events(EventKind.CHECKPOINT))
        paused.ask(Verb.PAUSE)
        assert paused.ended() == 0, paused.log_tail()
        paused.start()
        assert paused.ended() == 0, paused.log_tail()
        assert self._lasting(paused) == self._lasting(calm)

    def test_a_command_that_waits_at_the_start_is_heard(self, declared: Service, bench: Workbench) -> None:
        """A stop before the start still ends with a result."""
        bench.start(Command(id="dec_early", verb=Verb.STOP))
        assert bench.ended() == 0, bench.log_tail()
        assert [event.data["id"] for event in bench.events(EventKind.APPLIED)] == ["dec_early"]
        assert bench.files.result.exists()

    def _lasting(self, bench: Workbench) -> dict[tuple[str, str, int], str]:
        """Return the numbers as text, so that NaN equals NaN; without those that measure time."""
        return {key: repr(value) for key, value in bench.points().items() if key[1] not in self.volatile}


class PlatformContract:
    """What every way to the platform must hold to: the control plane itself, and the client over HTTP.

    A subclass gives the fixture `platform`, with the fake service registered and a supervision that goes round.
    """

    def submit(self, platform: Platform, **config: Any) -> wire.Operation:
        """Submit a small training."""
        return platform.submit({"service": "fake", "config": config}, principal=wire.Principal(name="contract"))

    def ask(self, platform: Platform, operation: str, verb: Verb, **args: Any) -> wire.Decision:
        """Send a command."""
        request = wire.CommandRequest(verb=verb, args=args, reason="the contract asks")
        return platform.command(operation, request, principal=wire.Principal(name="contract"))

    def test_a_run_from_submission_to_use(self, platform: Platform) -> None:
        """Submit, wait, read everything, use."""
        made = self.submit(platform, steps=30)
        waited = platform.wait(made.id, until="terminal", timeout_s=60)
        assert waited.reached
        assert waited.operation.state is State.COMPLETED
        shown = platform.metrics(made.id, keys=("val_loss",))
        assert shown.steps == list(range(1, 31))
        assert [event.seq for event in platform.events(made.id).items][:3] == [1, 2, 3]
        assert [item.name for item in platform.artifacts(made.id)] == ["weights.json"]
        assert platform.checkpoints(made.id)
        assert platform.spec(made.id)["config"] == {"steps": 30}
        assert platform.environment(made.id)["python"]
        assert platform.lineage(made.id).nodes[0].id == made.id
        assert platform.use(made.id, wire.UseRequest(data={"features": [0.0] * 5})).data == {"prediction": 0.0}
        assert made.id in [model.operation for model in platform.models()]
        assert isinstance(platform.logs(made.id).lines, list)

    def test_control_of_a_live_run(self, platform: Platform) -> None:
        """Tune, checkpoint, branch, stop; each is in the ledger with its step."""
        made = self.submit(platform, steps=100_000, step_s=0.005)
        platform.wait(made.id, until="step>=12", timeout_s=60)
        for verb, args in ((Verb.TUNE, {"lr": 0.1}), (Verb.CHECKPOINT, {})):
            self.ask(platform, made.id, verb, **args)
        branch = self.ask(platform, made.id, Verb.BRANCH, set={"steps": 20})
        assert branch.created is not None
        self.ask(platform, made.id, Verb.STOP)
        done = platform.wait(made.id, until="terminal", timeout_s=60).operation
        assert (done.state, done.stopped_early) == (State.COMPLETED, True)
        decided = platform.decisions(made.id)
        assert [item.verb for item in decided] == [Verb.TUNE, Verb.CHECKPOINT, Verb.BRANCH, Verb.STOP]
        assert all(item.status == "applied" and item.at_step is not None for item in decided)
        platform.wait(branch.created, until="terminal", timeout_s=60)
        assert len(platform.compare((made.id, branch.created)).operations) == 2

    def test_errors_keep_their_kind(self, platform: Platform) -> None:
        """What is refused is refused with the same error everywhere."""
        with pytest.raises(NotFound):
            platform.operation("op_nothing")
        with pytest.raises(InvalidSpec):
            self.submit(platform, lrr=1)
        made = self.submit(platform, steps=2)
        platform.wait(made.id, until="terminal", timeout_s=60)
        with pytest.raises(IllegalCommand):
            self.ask(platform, made.id, Verb.PAUSE)

    def test_idempotency(self, platform: Platform) -> None:
        """One key, one operation; another request under it is a conflict."""
        who = wire.Principal(name="contract")
        document = {"service": "fake", "config": {"steps": 2}}
        first = platform.submit(document, principal=who, idempotency_key="once")
        assert platform.submit(document, principal=who, idempotency_key="once").id == first.id
        with pytest.raises(IdempotencyConflict):
            platform.submit({**document, "seed": 1}, principal=who, idempotency_key="once")

    def test_housekeeping(self, platform: Platform) -> None:
        """Rename, list, remove; describe services, hosts, health."""
        made = self.submit(platform, steps=2)
        platform.wait(made.id, until="terminal", timeout_s=60)
        patched = platform.update(made.id, wire.OperationPatch(name="renamed", tags={"a": "b"}))
        assert (patched.name, patched.tags) == ("renamed", {"a": "b"})
        assert [item.id for item in platform.operations(tag="a=b").items] == [made.id]
        platform.delete(made.id)
        assert platform.operations(tag="a=b").items == []
        assert platform.gc(older_than_s=0, dry_run=True).dry_run
        assert "fake" in [item.name for item in platform.services().items]
        assert platform.service("fake").config_schema
        assert platform.dry_run({"service": "fake"}).config["steps"] == 100
        assert platform.inspect(wire.InspectRequest(service="fake", data={"rows": 3})).data == {"rows": 3}
        assert (platform.hosts()[0].cpus or 0) >= 1
        assert platform.health().status == "ok"
