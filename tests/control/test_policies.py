"""Tests for policies at work: what they act on, when, in whose name, and what an unanswered question means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import Plane, plane_at

from tutelage.analysis import checks
from tutelage.control.policies import pending
from tutelage.core.operation import State
from tutelage.core.policy import CODES, PRESETS, VERDICTS, Policy, PolicyAction
from tutelage.core.wire import Operation
from tutelage.store import OperationRecord

BLOWS_UP = {"steps": 100_000, "lr": 1e6, "step_s": 0.002}
NEVER_LEARNS = {"steps": 60, "lr": 0.0, "step_s": 0.01}


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    with plane_at(tmp_path / "home") as found:
        yield found


def decided(plane: Plane, operation: Operation) -> list[tuple[str, str, str]]:
    found = plane.platform.decisions(operation.id)
    return [(item.principal.name, item.verb, item.status) for item in found]


def test_a_rule_stops_a_run_in_its_own_name_with_its_evidence(plane: Plane) -> None:
    begun = plane.submit(BLOWS_UP, policy={"on": {"H004": "stop"}})
    ended = plane.finish(begun.id)
    assert ended.state is State.COMPLETED
    assert ended.stopped_early
    (decision,) = plane.platform.decisions(begun.id)
    assert (decision.principal.name, decision.verb, decision.status) == ("policy", "stop", "applied")
    assert decision.reason.startswith("policy H004 -> stop")
    assert decision.verdict == "non_finite"
    assert decision.evidence


def test_a_rule_waits_until_its_finding_has_held(plane: Plane) -> None:
    rule = {"do": "checkpoint", "hold": 40}
    begun = plane.submit({**BLOWS_UP, "checkpoint_every": 0}, policy={"on": {"non_finite": rule}})
    waiting = plane.until(lambda: plane.platform.operation(begun.id).policy.pending)
    assert (waiting.code, waiting.do, waiting.hold) == ("non_finite", "checkpoint", 40)
    assert 0 <= waiting.held < 40
    plane.until(lambda: plane.platform.decisions(begun.id))
    assert plane.platform.operation(begun.id).policy.pending is None
    assert plane.state(begun.id) is State.RUNNING


def test_a_rule_acts_as_often_as_it_may_and_no_more(plane: Plane) -> None:
    rule = {"do": "tune", "args": {"lr": 900.0}, "hold": 0, "times": 2}
    begun = plane.submit(BLOWS_UP, policy={"on": {"non_finite": rule}})
    plane.until(lambda: len(plane.platform.decisions(begun.id)) == 2)
    step = plane.platform.metrics(begun.id).steps[-1]
    plane.reach(begun.id, step + 60)
    assert [verb for _, verb, _ in decided(plane, begun)] == ["tune", "tune"]


def test_a_question_pauses_the_run_until_somebody_answers(plane: Plane) -> None:
    begun = plane.submit(BLOWS_UP, policy={"on": {"non_finite": "ask"}})
    plane.until(lambda: plane.state(begun.id) is State.PAUSED)
    waiting = plane.platform.operation(begun.id).waiting_for
    assert waiting is not None
    assert waiting.kind == "approval"
    assert "policy non_finite -> ask" in waiting.detail
    plane.command(begun.id, "approve")
    plane.until(lambda: plane.state(begun.id) is State.RUNNING)
    assert ("tester", "approve", "applied") in decided(plane, begun)
    plane.command(begun.id, "cancel")
    plane.finish(begun.id)


@pytest.mark.parametrize("answer", ["reject", None])
def test_a_no_and_no_answer_in_time_both_mean_stop(plane: Plane, answer: str | None) -> None:
    rule: dict[str, Any] = {"do": "ask", "deadline_s": 600 if answer else 0.05}
    begun = plane.submit(BLOWS_UP, policy={"on": {"non_finite": rule}})
    if answer:
        plane.until(lambda: plane.state(begun.id) is State.PAUSED)
        plane.command(begun.id, answer)
    ended = plane.finish(begun.id)
    assert ended.state is State.COMPLETED
    assert ended.stopped_early


def test_a_rule_counts_on_over_a_new_supervisor(tmp_path: Path) -> None:
    rule = {"do": "stop", "hold": 200}
    with plane_at(tmp_path / "home") as first:
        begun = first.submit(BLOWS_UP, policy={"on": {"non_finite": rule}})
        first.until(lambda: first.platform.operation(begun.id).policy.pending)
        held = first.platform.operation(begun.id).policy.pending.held
        first.parts.close()
        with plane_at(tmp_path / "home") as second:
            counted = second.until(lambda: second.platform.operation(begun.id).policy.pending)
            assert counted.held >= held
            ended = second.finish(begun.id)
            assert ended.stopped_early
            assert len(second.platform.decisions(begun.id)) == 1


def test_a_preset_gives_way_to_rules_of_ones_own() -> None:
    given = Policy.model_validate({"preset": "thrifty", "on": {"overfitting": "pause"}})
    assert {key: action.do for key, action in given.rules.items()} == {
        **dict.fromkeys(PRESETS["thrifty"], "stop"),
        "overfitting": "pause",
    }


@pytest.mark.parametrize(
    ("key", "hold", "expected", "waits"),
    [
        ("H001", None, 100, 5),
        ("H001", None, 20, 3),
        ("H001", None, None, 3),
        ("H001", None, 1000, 50),
        ("H004", None, 1000, 0),
        ("non_finite", None, None, 0),
        ("H004", 7, 1000, 7),
        ("H001", 0, 1000, 0),
    ],
)
def test_the_hold_grows_with_the_run(key: str, hold: int | None, expected: float | None, waits: int) -> None:
    assert PolicyAction(do="stop", hold=hold).hold_of(key, expected) == waits


@pytest.mark.parametrize(
    ("evaluations", "hold"),
    [
        ({"done": 12, "expected": 800, "last_step": 11}, 40),
        ({"done": 12, "expected": 30, "last_step": 240}, 3),
        ({"done": 12, "expected": None, "last_step": 240}, 3),
        (None, 3),
    ],
)
def test_the_hold_is_a_share_of_the_judged_curve_s_evaluations(evaluations: dict[str, Any] | None, hold: int) -> None:
    record = OperationRecord(
        id="op_x",
        service="fake",
        state=State.RUNNING,
        spec={"policy": {"on": {"overfitting": "stop"}}},
        owner_name="ada",
        owner_kind="person",
        tags={},
        progress={"done": 1, "total": 2000},
        definitions={},
        created_at_s=0.0,
        judgement={
            "policy": {"overfitting": {"since": 10, "held": 2, "at_step": 11, "done": 0}},
            "evaluations": evaluations,
        },
    )
    waiting = pending(record)
    assert waiting is not None
    assert (waiting.held, waiting.hold) == (2, hold)


def test_the_evaluations_expected_follow_from_the_judged_scope_s_last_step(plane: Plane) -> None:
    begun = plane.submit({"steps": 60, "step_s": 0.0})
    plane.finish(begun.id)
    with plane.parts.base.store.reading() as reading:
        record = reading.operation(begun.id)
    assert record is not None
    assert record.judgement["evaluations"] == {"done": 60, "expected": 60, "last_step": 60}


def test_the_codes_are_those_of_the_checks() -> None:
    modules = {path.stem.split("_")[0].upper() for path in Path(checks.__file__).parent.glob("h*.py")}
    assert set(CODES) == modules
    assert all(key in VERDICTS for rules in PRESETS.values() for key in rules)
