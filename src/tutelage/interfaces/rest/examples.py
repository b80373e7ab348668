"""An example of every schema, and what the parameters mean, for the OpenAPI document; a test validates each."""

from __future__ import annotations

from typing import Any

ID, CHILD = "op_01m7yb51yhez22dbkdz7nq4c8r", "op_01m7yc2k8tq5v0d3n9r6w1x4za"
WHEN, LATER = "2026-11-21T06:02:01.041Z", "2026-11-21T06:05:12.300Z"
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
PERSON = {"name": "ada", "kind": "person"}
RESOURCES = {"cpus": 1, "gpus": 0, "memory_gib": 4.0, "max_wall_s": None, "priority": 0}
BEST = {"metric": "val_loss", "value": 0.301, "step": 780, "indistinguishable_from": [740, 820]}
EVIDENCE = {"label": "fall per step", "value": 0.0021, "unit": "nats", "at_step": 1180}
RECOMMENDATION = {"do": "continue", "args": {}, "saves_s": 0}
FINDING = {"code": "H002", "outcome": "passed", "severity": "info", "evidence": {"slope": -0.0021, "noise": 0.0004}}
ASSESSMENT = {
    "verdict": "improving",
    "sentence": "val_loss still falls by 0.0021 a step.",
    "detail": "8x its noise.",
    "since_step": 160,
    "since_at": WHEN,
    "confidence": 0.93,
    "evidence": [EVIDENCE],
    "recommendation": RECOMMENDATION,
    "findings": [FINDING],
}
PROGRESS = {"fraction": 0.41, "done": 820, "total": 2000, "unit": "step", "eta_s": 310, "message": "training"}
SPARK = {"metric": "val_loss", "scope": "", "points": [[0, 0.69], [780, 0.301]]}
SUMMARY = {
    "unit": "step",
    "latest": {"train_loss": 0.29, "val_loss": 0.302},
    "best": BEST,
    "steps_since_improvement": 40,
    "scopes": ["", "system"],
}
LINK = {"kind": "branch", "id": ID, "at": 780, "as": None}
OPERATION = {
    "id": ID,
    "service": "tabular",
    "name": "churn",
    "state": "running",
    "phase": "search",
    "attempt": 1,
    "resources": RESOURCES,
    "progress": PROGRESS,
    "created_at": WHEN,
    "started_at": WHEN,
    "metrics": SUMMARY,
    "owner": PERSON,
    "commands": {"stop": None, "pause": None, "tune": None},
    "assessment": ASSESSMENT,
}
EVENT = {
    "cursor": "1042",
    "seq": 17,
    "operation": ID,
    "kind": "metric",
    "at": WHEN,
    "step": 820,
    "attempt": 1,
    "data": {"values": {"val_loss": 0.302}},
}
FOLLOWED = {"metric": "val_loss", "before": 0.34, "after": 0.301, "evaluations": 12}
DECISION = {
    "id": "dec_01m7yb9f3h2k4m6p8r0t2v4x6z",
    "operation": ID,
    "at": WHEN,
    "verb": "tune",
    "args": {"n_trials": 40},
    "principal": {"name": "steward", "kind": "agent"},
    "reason": "forty are enough for a first look",
    "verdict": "improving",
    "evidence": [EVIDENCE],
    "status": "applied",
    "at_step": 820,
    "applied_at": LATER,
    "followed": FOLLOWED,
    "hash": HASH,
    "previous_hash": "0" * 64,
}
ARTIFACT = {"name": "report/roc.svg", "bytes": 18231, "content_type": "image/svg+xml", "created_at": LATER}
CHECKPOINT = {"step": 780, "created_at": WHEN, "bytes": 91234, "attempt": 1, "best": True, "metrics": {"val_loss": 0.3}}
NODE = {"id": ID, "service": "tabular", "name": "churn", "state": "completed", "best": BEST}
EDGE = {"parent": ID, "child": CHILD, "kind": "branch", "at": 780}
SIDE = {"id": ID, "name": "churn", "state": "completed", "best": BEST, "latest": {"val_loss": 0.302}, "wall_s": 191.3}
METRIC = {"name": "val_loss", "about": "log loss held out", "direction": "minimize", "unit": "nats", "pairs": None}
TUNABLE = {"name": "n_trials", "type": "int", "low": 1, "high": 100000, "about": "trials of the search"}
SERVICE = {
    "name": "tabular",
    "about": "models on tables",
    "unit": "trial",
    "scopes": {"trial": "fold"},
    "supports": ["branch", "checkpoint", "tune"],
    "metrics": [METRIC],
    "tunables": [TUNABLE],
    "presets": {"quick": {"nTrials": 10}},
    "commands": {},
}
MODEL = {"operation": ID, "service": "tabular", "name": "churn", "ended_at": LATER, "best": BEST, "bytes": 48213}
HOST = {
    "name": "local",
    "cpus": 8,
    "cpus_free": 6,
    "gpus": 0,
    "gpus_free": 0,
    "memory_gib": 31.2,
    "memory_free_gib": 27.2,
    "running": 2,
    "queued": 0,
    "reachable": True,
    "detail": "",
    "version": "0.1.0",
}
TOKEN = {
    "id": "tok_01m7yb51yhez22dbkdz7nq4c8r",
    "name": "steward",
    "kind": "agent",
    "scope": "operate",
    "created_at": WHEN,
    "expires_at": "2026-12-21T06:02:01.041Z",
}

EXAMPLES: dict[str, Any] = {
    "Artifact": ARTIFACT,
    "Artifacts": {"items": [ARTIFACT]},
    "Assessment": ASSESSMENT,
    "Best": BEST,
    "Checkpoint": CHECKPOINT,
    "Checkpoints": {"items": [CHECKPOINT]},
    "CommandRequest": {"verb": "tune", "args": {"n_trials": 40}, "reason": "forty are enough for a first look"},
    "ComparedOperation": SIDE,
    "Significance": {
        "is_evidence": False,
        "by": "noise",
        "difference": -0.0021,
        "error": 0.0034,
        "low": -0.0088,
        "high": 0.0046,
        "sentence": "No evidence of a difference between churn and churn again: 0.0021 ± 0.0067 "
        "(against the noise of one run each; other seeds may differ more).",
    },
    "Comparison": {
        "metric": "val_loss",
        "sentence": "churn is better by 0.012.",
        "operations": [SIDE, {**SIDE, "id": CHILD}],
        "config_diff": {"algorithm": {ID: "lightgbm", CHILD: "random_forest"}},
        "num_equal_settings": 41,
    },
    "Decision": DECISION,
    "Decisions": {"items": [DECISION]},
    "DryRun": {"service": "tabular", "config": {"algorithm": "lightgbm"}, "resources": RESOURCES},
    "ErrorInfo": {"code": "memory_limit", "message": "the run used more than its 4 GiB", "hint": "raise memory_gib"},
    "Event": EVENT,
    "EventPage": {"items": [EVENT], "next_cursor": "1042", "truncated": False},
    "Evidence": EVIDENCE,
    "Finding": FINDING,
    "Followed": FOLLOWED,
    "GcReport": {"operations": [ID], "checkpoints": 3, "bytes": 1048576, "dry_run": True},
    "GcRequest": {"older_than_s": 2592000, "dry_run": True},
    "Health": {
        "status": "ok",
        "version": "0.1.0",
        "pid": 4711,
        "home": "/home/ada/churn/.tutelage",
        "uptime_s": 812.4,
        "live": 1,
        "queued": 0,
        "rss_mib": 97.1,
    },
    "HostInfo": HOST,
    "Hosts": {"items": [HOST]},
    "Input": {"sha256": HASH, "name": "train.csv", "bytes": 90312, "path": f"/srv/home/inputs/{HASH}/train.csv"},
    "InspectRequest": {"service": "tabular", "data": {"dataPath": "sklearn:wine", "targetColumn": "target"}},
    "Inspection": {"service": "tabular", "data": {"rows": 178, "columns": 14}},
    "LedgerState": {"entries": 214, "first_broken": None},
    "Lineage": {"id": CHILD, "nodes": [NODE, {**NODE, "id": CHILD}], "edges": [EDGE]},
    "LineageEdge": EDGE,
    "LineageNode": NODE,
    "Link": LINK,
    "LogPage": {"lines": ["trial 0 complete: log_loss 0.1174"], "next_cursor": "2048", "truncated": False},
    "LoginRequest": {"code": "the-part-of-the-login-link-after-the-hash"},
    "MetricHistory": {
        "operation": ID,
        "scope": "",
        "unit": "step",
        "keys": ["train_loss", "val_loss"],
        "steps": [1, 2],
        "values": {"train_loss": [0.69, 0.61], "val_loss": [None, 0.63]},
        "total": {"train_loss": 2, "val_loss": 1},
    },
    "MetricInfo": METRIC,
    "MetricSummary": SUMMARY,
    "ModelEntry": MODEL,
    "Models": {"items": [MODEL]},
    "NewToken": {**TOKEN, "secret": "tut_shown-once-and-never-again"},
    "Newest": {"cursor": "48213"},
    "Operation": OPERATION,
    "OperationPage": {"items": [OPERATION], "next_cursor": None, "counts": {"running": 1, "completed": 12}},
    "OperationPatch": {"name": "churn, second look", "tags": {"project": "crm"}},
    "PolicyPending": {"code": "H004", "do": "stop", "held": 3, "hold": 20, "at_step": 820},
    "PolicyState": {"pending": None},
    "Principal": PERSON,
    "Problem": {
        "type": "urn:tutelage:error:invalid_spec",
        "title": "A spec, config or argument that cannot be taken as it is",
        "status": 422,
        "detail": "config.epochs: must be >= 1, got 0",
        "code": "invalid_spec",
        "hint": "omit it for the default",
        "errors": [{"at": "config.epochs", "message": "must be >= 1, got 0"}],
    },
    "Progress": PROGRESS,
    "Recommendation": RECOMMENDATION,
    "Resources": RESOURCES,
    "ServiceInfo": SERVICE,
    "ServiceList": {"items": [SERVICE]},
    "Session": {"principal": PERSON, "scope": "admin", "expires_at": "2026-11-28T06:02:01.041Z"},
    "Spark": SPARK,
    "Token": TOKEN,
    "TokenRequest": {"name": "steward", "kind": "agent", "scope": "operate", "expires_s": 604800},
    "Tokens": {"items": [TOKEN]},
    "TunableInfo": TUNABLE,
    "UseAnswer": {"operation": ID, "data": {"predictions": [0, 1]}, "latency_ms": 12.4},
    "UseRequest": {"data": {"rows": [{"tenure": 12, "contract": "two years"}]}},
    "WaitResult": {"reached": True, "until": "verdict_change", "operation": OPERATION},
    "WaitingFor": {"kind": "slot", "until": None, "detail": "no slot is free"},
}

PARAMETERS: dict[str, str] = {
    "operation_id": "the operation's id, `op_` and 26 characters",
    "name": "the name of one of them",
    "ids": "two or more operations' ids, separated by commas",
    "dry_run": "only validate, start nothing",
    "idempotency-key": "the same key with the same request answers the first answer again",
    "state": "only in these states, separated by commas",
    "service": "only of this service",
    "tag": "only with this tag: KEY or KEY=VALUE",
    "text": "only where id, name or notes hold this text",
    "cursor": "`next_cursor` of the page before",
    "limit": "at most so many",
    "spark": "points of the judged curve to add to each operation; 0: none",
    "kinds": "of a page, only events of these kinds, separated by commas; empty: all",
    "scope": "where inside the operation, as in `trial=12/fold=3`; empty: the operation itself",
    "keys": "names of metrics, separated by commas; empty: all",
    "from": "the first step",
    "to": "the last step",
    "points": "about how many rows; more are down-sampled, minima and maxima kept",
    "since": "only what came after this cursor",
    "attempts": "`newest`, or `all` to see superseded points too",
    "last-event-id": "the id of the last event that a stream brought; goes before `since`",
    "until": "`terminal`, `verdict_change`, `phase`, `eval`, `step>=N`, `METRIC<x` or `METRIC>x`",
    "timeout_s": "seconds to wait at most",
}
