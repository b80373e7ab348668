"""The objects every interface gives: REST, MCP, CLI `--json`, the client and the page share these models."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tutelage.core.commands import Verb
from tutelage.core.events import EventKind
from tutelage.core.findings import Advice, Outcome, Severity, Verdict
from tutelage.core.numbers import Number
from tutelage.core.operation import State
from tutelage.core.spec import MAX_TEXT, Document, Resources

PrincipalKind = Literal["agent", "person", "program"]
Timestamp = str
"""ISO 8601 in UTC with milliseconds and a trailing Z."""


class Wire(BaseModel):
    """Base of everything answered: frozen; a newer server's extra fields are ignored."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Principal(Wire):
    """Who asks: a token's name and kind, the local user, or a policy."""

    name: str = "local"
    kind: PrincipalKind = "person"


class Progress(Wire):
    """How far an operation is, in its own unit."""

    fraction: float | None = Field(None, ge=0, le=1)
    done: float | None = None
    total: float | None = None
    unit: str = ""
    eta_s: float | None = Field(None, description="estimated seconds left")
    message: str = ""


class WaitingFor(Wire):
    """What an operation waits for before it goes on."""

    kind: Literal["slot", "approval", "host"]
    until: Timestamp | None = None
    detail: str = ""


class Link(Wire):
    """A relation to another operation."""

    kind: Literal["branch", "input"]
    id: str
    at: int | None = None
    as_: str | None = Field(None, alias="as")


class Best(Wire):
    """The best value of the metric that counts, and the steps that cannot be told apart from it."""

    metric: str
    value: Number
    step: int
    indistinguishable_from: tuple[int, int] | None = None


class Spark(Wire):
    """The judged curve, down-sampled, with the name and scope it has."""

    metric: str
    scope: str
    points: list[tuple[int, Number]]


class MetricSummary(Wire):
    """The metrics of scope "" at a glance."""

    unit: str
    latest: dict[str, Number] = Field(default_factory=dict)
    best: Best | None = None
    steps_since_improvement: int | None = None
    scopes: list[str] = Field(default_factory=list)
    spark: Spark | None = Field(None, description="the judged curve; only with ?spark=N")


class Evidence(Wire):
    """One figure behind a sentence."""

    label: str
    value: Number
    unit: str = ""
    at_step: int | None = None


class Recommendation(Wire):
    """What to do, with its arguments and the wall time it would save."""

    do: Advice
    args: dict[str, JsonValue] = Field(default_factory=dict)
    saves_s: float = 0


class Finding(Wire):
    """One health check's outcome with its numbers."""

    code: str
    outcome: Outcome
    severity: Severity = Severity.INFO
    since_step: int | None = None
    evidence: dict[str, Number] = Field(default_factory=dict)
    suggestion: str = ""


class Assessment(Wire):
    """Verdict, sentence, evidence and advice on one scope."""

    verdict: Verdict
    sentence: str
    detail: str = ""
    scope: str = ""
    since_step: int | None = None
    since_at: Timestamp | None = None
    confidence: float | None = Field(None, ge=0, le=1, description="from the measured noise; null where none was")
    evidence: list[Evidence] = Field(default_factory=list)
    recommendation: Recommendation
    findings: list[Finding] = Field(default_factory=list)
    checks_version: int = 1


class ErrorInfo(Wire):
    """Why an operation failed, and what to do."""

    code: str
    message: str
    hint: str = ""
    traceback_tail: list[str] = Field(default_factory=list)
    log_tail: list[str] = Field(default_factory=list)


class PolicyPending(Wire):
    """A policy's action that waits for its finding to hold."""

    code: str
    do: str
    held: int
    hold: int
    at_step: int | None = None


class PolicyState(Wire):
    """What the policy is about to do."""

    pending: PolicyPending | None = None


class Operation(Wire):
    """One run of a service: the same object in every interface."""

    id: str
    service: str
    name: str = ""
    notes: str = ""
    state: State
    phase: str = ""
    waiting_for: WaitingFor | None = None
    attempt: int = 0
    executor: str = "local"
    resources: Resources = Field(default_factory=Resources)
    progress: Progress = Field(default_factory=Progress)
    created_at: Timestamp
    started_at: Timestamp | None = None
    ended_at: Timestamp | None = None
    links: list[Link] = Field(default_factory=list)
    tags: dict[str, str] = Field(default_factory=dict)
    metrics: MetricSummary
    owner: Principal = Field(default_factory=Principal)
    attention: bool = Field(False, description="needs somebody; orders every list")
    commands: dict[Verb, str | None] = Field(
        default_factory=dict, description="what may be asked now -> null, or why it is refused all the same"
    )
    assessment: Assessment | None = None
    policy: PolicyState = Field(default_factory=PolicyState)
    stopped_early: bool = False
    error: ErrorInfo | None = None
    result: dict[str, JsonValue] | None = None


class OperationPage(Wire):
    """A page of operations, newest first within urgency."""

    items: list[Operation]
    next_cursor: str | None = None
    counts: dict[str, int] = Field(default_factory=dict, description="operations by state, over all pages")


class Event(Wire):
    """One immutable fact; `cursor` serves paging, SSE and MCP alike."""

    cursor: str
    seq: int
    operation: str
    kind: EventKind
    at: Timestamp
    scope: str = ""
    step: int | None = None
    attempt: int = 0
    data: dict[str, JsonValue] = Field(default_factory=dict)


class EventPage(Wire):
    """Events in order; `next_cursor` continues after the last."""

    items: list[Event]
    next_cursor: str
    truncated: bool = False


class MetricHistory(Wire):
    """Curves of one scope, outer-joined by step: `values[key][i]` belongs to `steps[i]`, null where missing."""

    operation: str
    scope: str
    unit: str
    keys: list[str]
    steps: list[int]
    attempts: list[int] | None = Field(None, description="attempt of each row; only with attempts=all")
    values: dict[str, list[Number | None]]
    total: dict[str, int] = Field(description="stored points of each key in the range asked for")
    repeated: int = Field(0, description="points replaced by a second value for the same key")
    truncated: bool = Field(False, description="down-sampled (minima and maxima kept) or cut at next_cursor")
    next_cursor: str | None = None


class CommandRequest(Document):
    """What to do with an operation, and why."""

    verb: Verb = Field(description="the command")
    args: dict[str, JsonValue] = Field(
        default_factory=dict, description="values of a tune; from, set, name of a branch"
    )
    reason: str = Field("", max_length=MAX_TEXT, description="kept in the ledger")


class Followed(Wire):
    """What the judged metric did after a decision took effect."""

    metric: str
    before: Number | None = None
    after: Number | None = None
    evaluations: int = 0


class Decision(Wire):
    """A command in the ledger: who, why, on what evidence, when it took effect, what followed."""

    id: str
    operation: str
    at: Timestamp
    verb: Verb
    args: dict[str, JsonValue] = Field(default_factory=dict)
    principal: Principal
    reason: str = ""
    verdict: str | None = None
    evidence: list[Evidence] = Field(default_factory=list)
    status: Literal["accepted", "applied", "refused"] = "accepted"
    detail: str = ""
    at_step: int | None = Field(None, description="the step at which it took effect")
    applied_at: Timestamp | None = None
    created: str | None = Field(None, description="the operation that a branch made")
    followed: Followed | None = None
    hash: str = ""
    previous_hash: str = ""


class LedgerState(Wire):
    """Whether the ledger's chain of hashes holds."""

    entries: int = Field(description="how many entries there are")
    first_broken: int | None = Field(None, description="the first entry that does not follow, or null")


class Artifact(Wire):
    """A file the operation produced."""

    name: str
    bytes: int
    sha256: str | None = None
    content_type: str = "application/octet-stream"
    created_at: Timestamp | None = None


class Checkpoint(Wire):
    """Resumable state at a step."""

    step: int
    created_at: Timestamp
    bytes: int
    attempt: int = 0
    best: bool = False
    metrics: dict[str, Number] = Field(default_factory=dict)


class LogPage(Wire):
    """Lines of the log; `next_cursor` is the byte after the last."""

    lines: list[str]
    next_cursor: str
    truncated: bool = False


class LineageNode(Wire):
    """An operation in a lineage, at a glance."""

    id: str
    service: str
    name: str
    state: State
    best: Best | None = None


class LineageEdge(Wire):
    """`child` came from `parent` at a step, by branch or as input."""

    parent: str
    child: str
    kind: Literal["branch", "input"]
    at: int | None = None


class Lineage(Wire):
    """Everything an operation descends from, and what descends from it."""

    id: str
    nodes: list[LineageNode]
    edges: list[LineageEdge]


class ComparedOperation(Wire):
    """One side of a comparison."""

    id: str
    name: str
    state: State
    best: Best | None = None
    noise: float | None = Field(
        None, description="standard error of a value, as told, else around the curve; null: unknown"
    )
    final: Number | None = Field(None, description="the last value of the compared metric")
    mean: Number | None = Field(None, description="area under its curve over the steps, divided by their span")
    latest: dict[str, Number] = Field(default_factory=dict)
    wall_s: float | None = None


class Significance(Wire):
    """Whether the two best sides differ by more than chance."""

    is_evidence: bool = Field(description="false: no evidence of a difference")
    by: Literal["replicas", "noise"] = Field(
        description="replicas: runs that differ in the seed alone; noise: one run each"
    )
    difference: float = Field(description="of the means of the replicas, or of the best values")
    error: float = Field(description="its standard error")
    low: float = Field(description="lower end of the 95 % interval of the difference")
    high: float = Field(description="upper end")
    sentence: str


class Comparison(Wire):
    """Operations side by side: figures and the settings that differ."""

    metric: str | None
    sentence: str
    operations: list[ComparedOperation]
    config_diff: dict[str, dict[str, JsonValue]] = Field(
        default_factory=dict, description="setting -> operation -> value; equal settings are left out"
    )
    num_equal_settings: int = 0
    significance: Significance | None = Field(None, description="null: nothing was measured to tell by")


class WaitResult(Wire):
    """Whether what was waited for came within the time, and how the operation stands."""

    reached: bool
    until: str
    operation: Operation


class UseRequest(Document):
    """One request to a finished model, in its service's own form."""

    data: dict[str, JsonValue] = Field(description="the service's request")


class UseAnswer(Wire):
    """A finished model's answer."""

    operation: str
    data: dict[str, JsonValue]
    latency_ms: float


class ModelEntry(Wire):
    """A completed operation whose model can be used."""

    operation: str
    service: str
    name: str
    ended_at: Timestamp | None
    best: Best | None = None
    bytes: int | None = None


class MetricInfo(Wire):
    """The glossary's entry of a metric."""

    name: str
    about: str
    direction: Literal["minimize", "maximize"] | None
    unit: str
    pairs: str | None


class TunableInfo(Wire):
    """A setting that `tune` may change."""

    name: str
    type: Literal["int", "float"]
    low: Number
    high: Number
    about: str


class ServiceInfo(Wire):
    """What a service trains, takes, measures and supports."""

    name: str
    about: str
    unit: str
    scopes: dict[str, str]
    supports: list[str]
    available: bool = Field(True, description="false where it needs a package that is not installed")
    missing: str = Field("", description="what to install")
    metrics: list[MetricInfo]
    tunables: list[TunableInfo]
    presets: dict[str, dict[str, JsonValue]]
    commands: dict[str, str]
    config_schema: dict[str, Any] | None = Field(None, description="JSON schema; only for one service")
    defaults: dict[str, JsonValue] | None = Field(None, description="settings nobody needs to give")


class ServiceList(Wire):
    """Every registered service."""

    items: list[ServiceInfo]


class DryRun(Wire):
    """What a spec would start, had it been submitted."""

    service: str
    config: dict[str, JsonValue] = Field(description="the config with every default filled in")
    resources: Resources
    warnings: list[str] = Field(default_factory=list)


class InspectRequest(Document):
    """A look at data before training."""

    service: str = Field("tabular", description="whose data this is")
    data: dict[str, JsonValue] = Field(description="the service's request: dataPath, targetColumn, ...")


class Inspection(Wire):
    """What a service sees in data."""

    service: str
    data: dict[str, JsonValue]


class OperationPatch(Document):
    """What may be renamed on an operation."""

    name: str | None = Field(None, max_length=120, description="a name for people")
    notes: str | None = Field(None, max_length=20_000, description="free text")
    tags: dict[str, str] | None = Field(None, max_length=50, description="free labels")


class HostInfo(Wire):
    """A machine that trains: its slots and what is taken; null where it does not answer."""

    name: str = Field(description="local, or the name after `host:`")
    cpus: int | None = None
    cpus_free: int | None = None
    gpus: int | None = None
    gpus_free: int | None = None
    memory_gib: float | None = None
    memory_free_gib: float | None = None
    running: int | None = None
    queued: int | None = None
    reachable: bool = Field(True, description="it answered just now")
    detail: str = Field("", description="why it cannot be reached")
    version: str | None = Field(None, description="the version of Tutelage there")


class GcReport(Wire):
    """What `gc` removed."""

    operations: list[str] = Field(default_factory=list)
    checkpoints: int = 0
    bytes: int = 0
    dry_run: bool = False


class Health(Wire):
    """The supervisor, alive."""

    status: Literal["ok", "degraded"]
    version: str
    pid: int
    home: str
    uptime_s: float
    live: int
    queued: int
    rss_mib: float
    detail: str = ""


class Problem(Wire):
    """RFC 9457 problem details, with the error's stable code, its hint and the single places."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str = ""
    errors: list[dict[str, str]] = Field(default_factory=list)
