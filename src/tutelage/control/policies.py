"""Policies at work: how long each finding has held, what is due, and acting on it in the policy's own name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tutelage.control.tuning import check_tune
from tutelage.core import wire
from tutelage.core.commands import Verb
from tutelage.core.errors import InvalidSpec
from tutelage.core.findings import Outcome
from tutelage.core.operation import State
from tutelage.core.policy import Policy, PolicyAction
from tutelage.core.service import Service
from tutelage.store import OperationRecord

POLICY = wire.Principal(name="policy", kind="program")
VERBS = {"stop": Verb.STOP, "pause": Verb.PAUSE, "checkpoint": Verb.CHECKPOINT, "tune": Verb.TUNE, "ask": Verb.PAUSE}
NEEDS = {"pause": "checkpoint", "checkpoint": "checkpoint", "ask": "checkpoint", "tune": "tune"}


@dataclass(frozen=True, kw_only=True)
class Due:
    """A rule whose finding has held long enough."""

    operation: str
    key: str
    action: PolicyAction
    held: int
    done: int
    sentence: str

    @property
    def request(self) -> wire.CommandRequest:
        """The command that it asks for, with its reason."""
        reason = f"policy {self.key} -> {self.action.do}, held for {self.held} evaluations: {self.sentence}"
        return wire.CommandRequest(verb=VERBS[self.action.do], args=self.action.args, reason=reason[:2000])

    @property
    def idempotency_key(self) -> str:
        """The same act of the same rule, however often it is tried."""
        return f"{self.operation}/{self.key}/{self.done}"


def check_policy(policy: Policy, service: Service) -> None:
    """Raise InvalidSpec for a rule that the service cannot follow."""
    for key, action in policy.rules.items():
        needed = NEEDS.get(action.do)
        if needed and needed not in service.supports:
            raise InvalidSpec(
                f"policy.on.{key}: {service.name} cannot {action.do}, it does not support {needed}", hint="use stop"
            )
        check_tune(service, action.args)


def rules_of(record: OperationRecord) -> dict[str, PolicyAction]:
    """Return the operation's rules by their keys; most have none, and lists ask this of every operation."""
    given = record.spec.get("policy") or {}
    return Policy.model_validate(given).rules if given.get("on") or given.get("preset") else {}


def advance(
    record: OperationRecord,
    assessment: Mapping[str, Any] | None,
    evaluations: Mapping[str, Any] | None,
    before: Mapping[str, Any],
) -> dict[str, Any]:
    """Return, by rule, since which evaluation its finding holds, how many it has held for, and how often it acted.

    `evaluations` are those of the judged curve: how many are `done`, how many are `expected`, at which `last_step`.
    """
    rules = rules_of(record)
    if not rules:
        return {}
    raised = set(_raised(assessment))
    num_evaluations = evaluations["done"] if evaluations else 0
    last_step = evaluations["last_step"] if evaluations else 0
    found: dict[str, Any] = {}
    for key in rules:
        known = before.get(key, {})
        if key in raised:
            since = known.get("since")
            since = num_evaluations if since is None else min(since, num_evaluations)
            held = num_evaluations - since
            found[key] = {"since": since, "held": held, "at_step": last_step, "done": known.get("done", 0)}
        elif known.get("done"):
            found[key] = {"since": None, "held": 0, "at_step": last_step, "done": known["done"]}
    return found


def due(record: OperationRecord) -> Iterator[Due]:
    """Yield the rules that must act now."""
    if record.state is not State.RUNNING or record.wanted is not None:
        return
    judgement = record.judgement or {}
    sentence = (judgement.get("assessment") or {}).get("sentence", "")
    for key, action in rules_of(record).items():
        known = judgement.get("policy", {}).get(key)
        if known is None or known["since"] is None or known["done"] >= action.times:
            continue
        if known["held"] >= action.hold_of(key, _expected(record)) and known["at_step"] >= action.min_step:
            yield Due(
                operation=record.id, key=key, action=action, held=known["held"], done=known["done"], sentence=sentence
            )


def pending(record: OperationRecord) -> wire.PolicyPending | None:
    """Return the rule that is nearest to acting, of those whose finding holds."""
    waiting = []
    for key, action, known in _standing(record):
        hold = action.hold_of(key, _expected(record))
        waiting.append((hold - known["held"], key, action, known, hold))
    if not waiting or record.state is not State.RUNNING:
        return None
    _, key, action, known, hold = min(waiting, key=lambda item: item[:2])
    return wire.PolicyPending(code=key, do=action.do, held=known["held"], hold=hold, at_step=known["at_step"])


def acted(record: OperationRecord, key: str) -> dict[str, Any]:
    """Return the judgement in which a rule has acted once more."""
    judgement = dict(record.judgement or {})
    state = dict(judgement.get("policy", {}))
    state[key] = {**state[key], "done": state[key]["done"] + 1}
    return {**judgement, "policy": state}


def _standing(record: OperationRecord) -> Iterator[tuple[str, PolicyAction, Mapping[str, Any]]]:
    """Yield the rules whose finding holds and that may still act."""
    state = (record.judgement or {}).get("policy", {})
    for key, action in rules_of(record).items():
        known = state.get(key)
        if known is not None and known["since"] is not None and known["done"] < action.times:
            yield key, action, known


def _raised(assessment: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the verdict and the codes of the findings that stand."""
    if assessment is None:
        return
    yield assessment["verdict"]
    for finding in assessment["findings"]:
        if finding["outcome"] == Outcome.ISSUE:
            yield finding["code"]


def _expected(record: OperationRecord) -> float | None:
    """Return how many evaluations the judged curve will have by its budget, by the pace it has kept so far."""
    evaluations = (record.judgement or {}).get("evaluations")
    return evaluations["expected"] if evaluations else None
