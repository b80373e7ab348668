"""The whole API against its own document: whatever is asked, no 500 and no answer that the schema does not describe.

`TUTELAGE_TEST_CASES=2000 pytest tests/interfaces/rest/test_schemathesis.py` asks more; the default is for every day.
"""

from __future__ import annotations

import os
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.serving import Served

from tutelage.control import ControlPlatform
from tutelage.control.hub import Hub
from tutelage.core.access import Scope
from tutelage.interfaces.rest.app import create_app

pytestmark = pytest.mark.slow  # some hundreds of requests, each made up anew

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NUM_CASES = int(os.environ.get("TUTELAGE_TEST_CASES", "400"))
SCHEMA = schemathesis.openapi.from_dict(create_app(cast(ControlPlatform, None), Hub()).openapi())
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
OPERATIONS.sort(key=lambda item: (item.method == "delete" or item.path.endswith("/gc"), item.path))
"""What removes comes last: the others need something to look at."""

MAX_WAIT_S = 0.05


@pytest.fixture(scope="module")
def ended(served: Served) -> list[str]:
    """Operations of some states, for the routes to find."""
    made = []
    for config in ({"steps": 40}, {"steps": 40, "fail_at": 20}, {"steps": 9, "lr": 1e6}):
        answer = served.ask("POST", "/api/v1/operations", json={"service": "fake", "config": config})
        if answer.status_code == 202:
            made.append(answer.json()["id"])
            served.ask("GET", f"/api/v1/operations/{made[-1]}/wait", params={"timeout_s": 30})
    return made


def completed(case: Any, operation_id: str | None, service: str | None) -> Any:
    """Name things that exist in some of the cases, and never wait for long."""
    if service and case.path_parameters and "name" in case.path_parameters:
        case.path_parameters["name"] = "weights.json" if "artifacts" in case.path else service
    if operation_id and case.path.endswith("/compare"):
        case.query = {"ids": f"{operation_id},{operation_id}"}
    if case.path_parameters and "operation_id" in case.path_parameters and operation_id:
        case.path_parameters["operation_id"] = operation_id
    if isinstance(case.query, dict) and isinstance(case.query.get("timeout_s"), int | float):
        case.query["timeout_s"] = min(case.query["timeout_s"], MAX_WAIT_S)
    elif case.path.endswith("/wait") and isinstance(case.query, dict) and "timeout_s" not in case.query:
        case.query["timeout_s"] = MAX_WAIT_S
    if service and case.path.endswith("/operations") and isinstance(case.body, dict):
        case.body["service"] = service
    return case


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: f"{item.method.upper()} {item.path}")
def test_every_answer_is_one_that_the_document_describes(operation: Any, served: Served, ended: list[str]) -> None:
    ids = st.sampled_from([*ended, None])
    cases = operation.as_strategy(generation_mode=GenerationMode.POSITIVE) | operation.as_strategy(
        generation_mode=GenerationMode.NEGATIVE
    )

    @given(case=cases, operation_id=ids, service=st.sampled_from(["fake", None]))
    @settings(
        max_examples=max(3, -(-NUM_CASES // len(OPERATIONS))),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any, operation_id: str | None, service: str | None) -> None:
        headers = {"Authorization": f"Bearer {served.tokens[Scope.ADMIN]}"}
        completed(case, operation_id, service).call_and_validate(
            base_url=served.url, headers=headers, checks=CHECKS, timeout=30
        )

    ask()
