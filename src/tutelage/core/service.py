"""How a kind of training declares itself. Registering costs no import: everything heavy is a dotted path."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Direction = Literal["minimize", "maximize"]


class Role(StrEnum):
    """What a side signal is, for the health checks that need one."""

    LEARNING_RATE = "learning_rate"
    GRADIENT_NORM = "gradient_norm"
    UPDATE_RATIO = "update_ratio"
    STEP_TIME = "step_time"
    THROUGHPUT = "throughput"
    ENTROPY = "entropy"
    KL = "kl"
    EXPLAINED_VARIANCE = "explained_variance"
    CAUSAL_INFLUENCE = "causal_influence"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One named number of a service: the glossary's entry, and what the judge may know about it.

    `direction` None means information only. `pairs` names the training twin of a validation metric. `role` says what
    a side signal is.
    """

    name: str
    about: str
    direction: Direction | None = None
    unit: str = ""
    pairs: str | None = None
    role: Role | None = None


@dataclass(frozen=True)
class Tunable:
    """A setting that `tune` may change while the operation runs, with its bounds (both included).

    A part of a dotted name that is `*` stands for any name: `space.*.high`; the service refuses what it does not have.
    """

    name: str
    type: type[int] | type[float]
    low: float
    high: float
    about: str = field(kw_only=True)

    def means(self, name: str) -> bool:
        """Tell whether this is the setting called `name`."""
        own, asked = self.name.split("."), name.split(".")
        return len(own) == len(asked) and all(
            part == given or (part == "*" and given) for part, given in zip(own, asked, strict=True)
        )


@dataclass(frozen=True, kw_only=True)
class ServiceCommand:
    """A service's own command: `tutelage SERVICE NAME`; runs in a short-lived worker, in the caller's folder.

    Dotted paths: `arguments` a pydantic model, whose required fields are arguments and whose others are options;
    `run(arguments) -> dict`, the document that `--json` prints. Its `text`, a list of lines, is printed otherwise, and
    its `exit_code` is the command's; both are left out of the JSON.
    """

    arguments: str
    run: str
    about: str


@dataclass(frozen=True, kw_only=True)
class Service:
    """One kind of training.

    Dotted paths: `config` a pydantic model; `train(config, run) -> dict | None` (None: left on a pause or cancel);
    `use(model, config, requests, emit)` of the finished model; `read(document) -> spec | None` for the service's own
    document format; `inspect(request) -> dict`, a look at data; `failure(error, folder) -> dict`, the result document
    of a failed run (called by the supervisor, so its module imports no library).

    `unit` is the step's name in scope "", `scopes` the step's name in each further scope kind, `judged` the scope
    kinds whose curves are judged (none: scope "" itself), `objective` the metric that counts. `needs` are modules that
    a training here imports and a plain installation lacks, `extra` the extra of this package that brings them.
    `reads_operations`: a spec may link to operations whose files it reads (kind `input`).
    """

    name: str
    about: str
    unit: str
    config: str
    train: str
    use: str | None = None
    read: str | None = None
    inspect: str | None = None
    failure: str | None = None
    scopes: Mapping[str, str] = field(default_factory=dict)
    judged: tuple[str, ...] = ()
    supports: frozenset[str] = frozenset()
    tunables: tuple[Tunable, ...] = ()
    metrics: tuple[Metric, ...] = ()
    objective: str | None = None
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    commands: Mapping[str, ServiceCommand] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    extra: str = ""
    reads_operations: bool = False

    def unit_of(self, scope: str) -> str:
        """Return the step's name in `scope`: that of its last part's kind."""
        if not scope:
            return self.unit
        return self.scopes.get(scope_kind(scope), "s" if scope == "system" else "step")


def scope_kind(scope: str) -> str:
    """Return the kind of a scope's last part: `fold` of `trial=12/fold=3`."""
    return scope.rsplit("/", 1)[-1].split("=", 1)[0]


def load(dotted: str) -> Any:
    """Import `package.module:name` and return the object."""
    module, _, name = dotted.partition(":")
    return getattr(importlib.import_module(module), name)
