"""The settings that may be changed while a training runs: as configured, then as tuned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.optim import Optimizer

from tutelage.core.errors import InvalidSpec, unknown
from tutelage.training.plan import Plan

WHOLE = frozenset({"max_steps", "patience"})


class Tuning:
    """The tunables of `tutelage.core.training` as they stand; only those that mean something in the plan.

    `own` are further ones of a loop other than `fit`, as configured.
    """

    def __init__(self, plan: Plan, optimizer: Optimizer, *, own: Mapping[str, float] | None = None) -> None:
        stopping = plan.early_stopping
        known: dict[str, float | None] = {
            "lr": optimizer.defaults["lr"],
            "weight_decay": optimizer.defaults.get("weight_decay"),
            "max_steps": plan.max_steps,
            "patience": stopping.patience if stopping and stopping.rule == "patience" else None,
            "grokfast_lamb": plan.grokfast.lamb if plan.grokfast else None,
            "grokfast_alpha": plan.grokfast.alpha if plan.grokfast and plan.grokfast.kind == "ema" else None,
            **(own or {}),
        }
        self._names = plan.tunable_names
        self._configured = {name: value for name, value in known.items() if value is not None}
        self._tuned: dict[str, float] = {}

    def __getitem__(self, name: str) -> float:
        return self._tuned.get(name, self._configured[name])

    def get(self, name: str) -> float | None:
        """Return a setting, or None where it means nothing in this plan."""
        return self._tuned.get(name, self._configured.get(name))

    def __contains__(self, name: str) -> bool:
        return name in self._configured

    def whole(self, name: str) -> int:
        """Return a setting that counts."""
        return int(self[name])

    def change(self, args: Mapping[str, Any]) -> str:
        """Take new values, all or none; return them as text. Raises InvalidSpec or UnknownName."""
        known = {theirs: ours for theirs, ours in self._names.items() if ours in self}
        known |= {ours: ours for ours in self._configured if ours not in self._names.values()}
        for name in args:
            if name not in known:
                raise unknown("tunable of this training", name, known)
        changed = {known[name]: _number(name, value, whole=known[name] in WHOLE) for name, value in args.items()}
        self._tuned |= changed
        return ", ".join(f"{name} = {value}" for name, value in args.items())

    def state_dict(self) -> dict[str, Any]:
        """Return what was configured and what was tuned."""
        return {"configured": dict(self._configured), "tuned": dict(self._tuned)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take the tuned values back, but for settings that were configured anew since, as a branch does."""
        before = state["configured"]
        self._tuned = {
            name: value
            for name, value in state["tuned"].items()
            if name in self and before.get(name) == self._configured[name]
        }


def _number(name: str, value: Any, *, whole: bool) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or value < 0 or (whole and int(value) != value):
        raise InvalidSpec(f"{name} must be a {'whole ' if whole else ''}number >= 0, got {value!r}")
    return int(value) if whole else float(value)
