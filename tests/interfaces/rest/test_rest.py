"""The API on its Unix socket, as a client sees it: shapes, problems, streams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.support import supervisor_at

from tutelage.core import wire

API = "/api/v1"


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    home = tmp_path_factory.mktemp("rest") / "home"
    with supervisor_at(home):
        socket = json.loads((home / "supervisor.json").read_text())["socket"]
        transport = httpx.HTTPTransport(uds=socket)
        with httpx.Client(transport=transport, base_url="http://tutelage", timeout=60) as client:
            yield client


@pytest.fixture(scope="module")
def finished(http: httpx.Client) -> str:
    made = http.post(f"{API}/operations", json={"service": "fake", "config": {"steps": 50}}).json()
    http.get(f"{API}/operations/{made['id']}/wait", params={"timeout_s": 30})
    return str(made["id"])


def test_submission_is_accepted_with_its_location(http: httpx.Client) -> None:
    answer = http.post(f"{API}/operations", json={"service": "fake", "config": {"steps": 3}})
    assert answer.status_code == 202
    operation = wire.Operation.model_validate(answer.json())
    assert answer.headers["location"] == f"{API}/operations/{operation.id}"
    assert http.get(answer.headers["location"]).json()["id"] == operation.id


def test_dry_run_starts_nothing(http: httpx.Client) -> None:
    def known() -> int:
        return sum(http.get(f"{API}/operations").json()["counts"].values())

    before = known()
    answer = http.post(f"{API}/operations", params={"dry_run": True}, json={"service": "fake"})
    assert answer.status_code == 200
    assert wire.DryRun.model_validate(answer.json()).config["steps"] == 100
    assert known() == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/operations/op_nothing", None, 404, "not_found"),
        ("GET", "/nothing", None, 404, "not_found"),
        ("GET", "/operations?limit=0", None, 422, "invalid_spec"),
        ("GET", "/operations?limit=x", None, 422, "invalid_spec"),
        ("GET", "/operations?state=sleeping", None, 422, "unknown_name"),
        ("GET", "/operations?cursor=zzz", None, 422, "invalid_spec"),
        ("GET", "/services/tabuler", None, 422, "unknown_name"),
        ("POST", "/operations", {}, 422, "invalid_spec"),
        ("POST", "/operations", [], 422, "invalid_spec"),
        ("POST", "/operations", {"service": "fake", "config": {"lrr": 1}}, 422, "invalid_spec"),
        ("GET", "/compare?ids=op_a", None, 422, "invalid_spec"),
        ("PUT", "/operations", None, 405, "http"),
    ],
)
def test_errors_are_problems(http: httpx.Client, method: str, path: str, body: Any, status: int, code: str) -> None:
    answer = http.request(method, f"{API}{path}", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert wire.Problem.model_validate(answer.json()).code == code


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("commands", "illegal_command"),
        ("artifacts/..%2f..%2fspec.json", "not_found"),
        ("artifacts/none.bin", "not_found"),
        ("metrics?scope=nowhere", "unknown_name"),
        ("metrics?keys=val_los", "unknown_name"),
        ("metrics?points=0", "invalid_spec"),
        ("events?since=x", "invalid_spec"),
        ("wait?until=lunch", "invalid_spec"),
        ("logs?limit=0", "invalid_spec"),
    ],
)
def test_errors_on_an_operation(http: httpx.Client, finished: str, path: str, code: str) -> None:
    url = f"{API}/operations/{finished}/{path}"
    answer = http.post(url, json={"verb": "pause"}) if path == "commands" else http.get(url)
    assert answer.json()["code"] == code


def test_a_body_over_the_limit_is_refused(http: httpx.Client) -> None:
    answer = http.post(f"{API}/operations", content=b" " * (3 << 20), headers={"content-type": "application/json"})
    assert answer.status_code == 413


def test_a_principal_of_the_wrong_form_is_refused(http: httpx.Client) -> None:
    answer = http.post(f"{API}/operations", json={"service": "fake"}, headers={"Tutelage-Principal": "robot:x"})
    assert answer.json()["code"] == "invalid_spec"


def test_who_asks_is_kept(http: httpx.Client) -> None:
    headers = {"Tutelage-Principal": "agent:steward"}
    made = http.post(f"{API}/operations", json={"service": "fake", "config": {"steps": 3}}, headers=headers).json()
    assert made["owner"] == {"name": "steward", "kind": "agent"}


def test_an_event_stream_resumes_after_its_last_id(http: httpx.Client, finished: str) -> None:
    def stream(**headers: str) -> tuple[list[int], list[str]]:
        seen = []
        url = f"{API}/operations/{finished}/events"
        with http.stream("GET", url, headers={"accept": "text/event-stream", **headers}) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    seen.append(wire.Event.model_validate_json(line[5:]))
        return [event.seq for event in seen], [event.cursor for event in seen]

    seqs, cursors = stream()
    assert seqs == list(range(1, len(seqs) + 1))
    rest, _ = stream(**{"last-event-id": cursors[9]})
    assert rest == seqs[10:]


def test_a_live_stream_delivers_each_event_once(http: httpx.Client) -> None:
    config = {"steps": 80, "step_s": 0.01}
    made = http.post(f"{API}/operations", json={"service": "fake", "config": config}).json()
    steps = []
    with http.stream("GET", f"{API}/operations/{made['id']}/events", headers={"accept": "text/event-stream"}) as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                event = wire.Event.model_validate_json(line[5:])
                if event.kind == "metric" and event.step is not None and event.scope == "":
                    steps.append(event.step)
    assert steps == list(range(1, 81))


def test_metrics_are_joined_by_step_and_stay_valid_json(http: httpx.Client) -> None:
    made = http.post(f"{API}/operations", json={"service": "fake", "config": {"lr": 1e6, "steps": 200}}).json()
    http.get(f"{API}/operations/{made['id']}/wait", params={"timeout_s": 30})
    text = http.get(f"{API}/operations/{made['id']}/metrics").text
    document = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert document["steps"] == list(range(1, 201))
    assert "inf" in document["values"]["train_loss"]
    assert document["total"] == {"train_loss": 200, "val_loss": 200, "weight_norm": 200}


def test_metrics_since_a_cursor_are_only_the_new_ones(http: httpx.Client, finished: str) -> None:
    events = http.get(f"{API}/operations/{finished}/events", params={"limit": 10000}).json()["items"]
    metrics = [event for event in events if event["kind"] == "metric" and event["step"] is not None]
    middle = metrics[24]
    shown = http.get(f"{API}/operations/{finished}/metrics", params={"since": middle["cursor"]}).json()
    assert shown["steps"] == [event["step"] for event in metrics[25:]]


def test_an_artifact_is_served_inert_and_by_ranges(http: httpx.Client, finished: str) -> None:
    listed = http.get(f"{API}/operations/{finished}/artifacts").json()["items"]
    assert [item["name"] for item in listed] == ["weights.json"]
    url = f"{API}/operations/{finished}/artifacts/weights.json"
    whole = http.get(url)
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-type"] == "application/json"
    part = http.get(url, headers={"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, whole.content[:4])


def test_health_and_prometheus(http: httpx.Client) -> None:
    health = wire.Health.model_validate(http.get("/healthz").json())
    assert health.status == "ok"
    assert 'tutelage_operations{state="completed"}' in http.get("/metrics").text


def test_ledger_is_verified_and_listed(http: httpx.Client, finished: str) -> None:
    made = http.post(f"{API}/operations/{finished}/commands", json={"verb": "branch", "reason": "again"}).json()
    assert wire.Decision.model_validate(made).created
    assert http.get(f"{API}/decisions/verify").json()["first_broken"] is None
    assert made["id"] in [item["id"] for item in http.get(f"{API}/decisions").json()["items"]]
