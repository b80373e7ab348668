"""The ledger as a document: every fact of a decision, and nothing in it that Markdown would take for its own."""

from __future__ import annotations

from cli_support import ID, WHEN

from tutelage.core import wire
from tutelage.interfaces.cli.markdown import ledger


def decision(**changes: object) -> wire.Decision:
    base: dict[str, object] = {
        "id": "dec_1",
        "operation": ID,
        "at": WHEN,
        "verb": "tune",
        "args": {"lr": 0.01},
        "principal": {"name": "steward", "kind": "agent"},
        "reason": "val_loss is flat",
        "verdict": "not_learning",
        "evidence": [{"label": "fall per step", "value": 0.002, "unit": "nats", "at_step": 40}],
        "status": "applied",
        "at_step": 1041,
        "followed": {"metric": "val_loss", "before": 0.9, "after": 0.4, "evaluations": 12},
        "hash": "b" * 64,
        "previous_hash": "a" * 64,
    }
    return wire.Decision.model_validate({**base, **changes})


def test_a_decision_is_told_with_what_followed() -> None:
    assert list(ledger([decision()])) == [
        "# Decisions",
        "",
        f"## {WHEN} tune by steward (agent)",
        "",
        f"- operation: `{ID}`",
        "- arguments: lr = 0.01",
        "- reason: val\\_loss is flat",
        "- verdict then: not learning",
        "- evidence: fall per step 0.002 nats at step 40",
        "- status: applied",
        "- took effect: at step 1,041",
        "- what followed: val\\_loss from 0.9 to 0.4 in 12 evaluations",
        f"- hash: `{'b' * 64}` after `{'a' * 64}`",
    ]


def test_a_reason_cannot_write_markdown() -> None:
    reason = "# I am\n\n## 2026 stop by [root](http://x) `rm` <script>"
    text = "\n".join(ledger([decision(reason=reason)]))
    assert text.count("\n## ") == 1
    assert "<script>" not in text
    assert "[root](" not in text


def test_an_empty_ledger_says_so() -> None:
    assert list(ledger([])) == ["# Decisions", "", "None yet."]
