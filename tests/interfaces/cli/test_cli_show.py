"""One operation and lists of them, as text that fits the terminal."""

from __future__ import annotations

import math

import pytest
from cli_support import ID, assessment, operation, text

from tutelage.core import wire
from tutelage.core.findings import Verdict
from tutelage.core.operation import State
from tutelage.interfaces.cli import listing, show, tables, terminal

SPARK = [[step, 1 / (1 + step)] for step in range(50)]
METRICS = {
    "unit": "step",
    "latest": {"train_loss": 2.91, "val_loss": "nan"},
    "best": {"metric": "val_loss", "value": 3.01, "step": 780, "indistinguishable_from": [740, 820]},
    "spark": {"metric": "val_loss", "scope": "", "points": SPARK},
}
OVERFITTING = assessment(
    verdict="overfitting",
    sentence="val_loss has risen since step 900 while train_loss still falls.",
    detail="+0.20 over its best of step 740, 29x its noise.",
    since_step=30,
    recommendation={"do": "stop", "saves_s": 370},
)


def page(*operations: wire.Operation, **counts: int) -> wire.OperationPage:
    return wire.OperationPage(items=list(operations), counts=counts)


def test_every_state_and_verdict_has_a_sign() -> None:
    assert set(terminal.STATE_SIGNS) == set(State)
    assert set(terminal.VERDICT_SIGNS) == set(Verdict)


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("state", list(State))
def test_every_state_fits_the_terminal(state: State, width: int) -> None:
    shown = operation(state=state, metrics=METRICS, assessment=OVERFITTING, name="a rather long name for a run")
    drawn = text(
        *show.lines(shown, width=width),
        *show.why(shown, []),
        *listing.page(page(shown), width=width, filtered=False),
        width=width,
    )
    assert max(map(len, drawn.splitlines())) <= width


def test_a_live_run_shows_sentence_evidence_and_progress() -> None:
    progress = {"fraction": 0.41, "done": 820, "total": 2000, "unit": "step", "eta_s": 1451}
    drawn = text(
        *show.lines(operation(metrics=METRICS, assessment=OVERFITTING, progress=progress), width=100), width=100
    )
    for part in (
        "820 of 2,000 steps  41 %  24 min left",
        "▲ overfitting",
        "29x its noise",
        "Recommended: stop, saves 6 min 10 s",
        "val_loss 3.01 at step 780 (740 to 820 cannot be told apart)",
        "val_loss nan",
    ):
        assert part in drawn


def test_the_verdict_paints_the_curve_from_its_step_on() -> None:
    painted = show.painted(operation(metrics=METRICS, assessment=OVERFITTING), width=10)
    styles = {span.style for span in painted.spans if span.style}
    assert styles == {terminal.AMBER}
    first = min(span.start for span in painted.spans if span.style)
    assert first == 6


def test_the_recommended_command_comes_first() -> None:
    found = show.next_commands(operation(assessment=OVERFITTING, commands={"stop": None}))
    assert found[0].startswith(f'tutelage stop {ID[-6:]} --reason "val_loss has risen')
    refused = show.next_commands(operation(assessment=OVERFITTING, commands={"stop": "not_supported: no"}))
    assert refused[0] == f"tutelage follow {ID[-6:]}"


def test_an_approval_asks_for_yes_or_no() -> None:
    asks = operation(state="paused", waiting_for={"kind": "approval", "detail": "deploy?"}, attention=True)
    assert [line.split()[1] for line in show.next_commands(asks)[:2]] == ["approve", "reject"]
    assert "? asks" in text(show.verdict(asks))


def test_results_stand_side_by_side() -> None:
    metrics = {"test": {"auc": 0.881}, "crossValidation": {"auc_mean": 0.87, "auc_std": 0.0041}, "rows": 12, "ok": True}
    drawn = text(show.result_table(metrics))
    assert "0.881" in drawn
    assert "0.87 ± 0.0041" in drawn
    assert "12" in drawn
    assert "True" not in drawn


def test_a_failure_shows_its_hint_and_log() -> None:
    error = {
        "code": "memory_limit",
        "message": "Out of memory.",
        "hint": "Give memory_gib 8.",
        "log_tail": ["last line"],
    }
    failed = operation(state="failed", error=error, ended_at=operation().started_at)
    drawn = text(*show.lines(failed, width=80), *show.ending(failed, []))
    assert all(part in drawn for part in ("✖ failed", "Out of memory.", "Give memory_gib 8.", "last line"))


def test_the_list_is_grouped_by_urgency() -> None:
    drawn = text(
        *listing.page(
            page(
                operation(attention=True, assessment=OVERFITTING),
                operation(),
                operation(state="pending"),
                operation(state="completed"),
                running=2,
                completed=1,
            ),
            width=80,
            filtered=False,
        )
    )
    assert drawn.startswith("One operation needs you. 2 running, 1 completed")
    positions = [drawn.index(f"\n{group}\n") for group in ("Needs you", "Running", "Waiting", "Ended")]
    assert positions == sorted(positions)


def test_an_empty_list_says_how_to_begin() -> None:
    assert "tutelage demo" in text(*listing.page(page(), width=80, filtered=False))
    assert text(*listing.page(page(), width=80, filtered=True)) == "No operation matches.\n"


def test_decisions_say_who_why_and_what_followed() -> None:
    entry = wire.Decision(
        id="d",
        operation=ID,
        at="2026-01-31T12:00:00.000Z",
        verb="tune",
        args={"lr": 0.001},
        principal=wire.Principal(name="claude", kind="agent"),
        reason="plateau",
        status="applied",
        at_step=300,
        followed=wire.Followed(metric="val_loss", before=2.71, after=2.52, evaluations=8),
    )
    assert show.decision_line(entry) == (
        'claude (agent) tune lr=0.001: "plateau", took effect at step 300; val_loss 2.71 → 2.52 in 8 evaluations'
    )
    assert "chain broken at entry 3" in text(tables.ledger_state(9, 3))


def test_curves_are_joined_by_step_with_blanks() -> None:
    history = wire.MetricHistory(
        operation=ID,
        scope="",
        unit="step",
        keys=["a", "b"],
        steps=[1, 2000],
        values={"a": [0.5, None], "b": [math.inf, 1]},
        total={"a": 1, "b": 2},
    )
    drawn = text(*tables.history(history, [])).splitlines()
    assert drawn[2].split() == ["2,000", "1"]
    assert drawn[1].split() == ["1", "0.5", "inf"]


def test_a_scope_without_metrics_names_those_that_have_some() -> None:
    empty = wire.MetricHistory(operation=ID, scope="x", unit="step", keys=[], steps=[], values={}, total={})
    assert 'Scopes: "", trial=1' in text(*tables.history(empty, ["", "trial=1"]))


def test_lineage_is_a_tree() -> None:
    node = {"service": "fake", "state": "completed"}
    answer = wire.Lineage.model_validate(
        {
            "id": "op_b",
            "nodes": [{"id": "op_a", "name": "first", **node}, {"id": "op_b", "name": "second", **node}],
            "edges": [{"parent": "op_a", "child": "op_b", "kind": "branch", "at": 740}],
        }
    )
    drawn = text(*tables.lineage(answer)).splitlines()
    assert drawn[0].startswith("op_a first")
    assert "branch at step 740: op_b second" in drawn[1]


@pytest.mark.parametrize(
    ("service", "asks"), [("tabular", "predict"), ("cognate", "generate"), ("agents", "act"), ("script", "show")]
)
def test_an_ended_run_says_how_its_model_is_asked_if_it_has_one(service: str, asks: str) -> None:
    done = operation(state="completed", service=service, result={}, commands={})
    assert show.next_commands(done)[0].split()[1] == asks
