"""The OpenAPI document is a contract: a change to it is a change to the committed snapshot; it explains itself."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
import pytest
from pydantic import BaseModel

from tutelage.control import ControlPlatform
from tutelage.control.hub import Hub
from tutelage.interfaces.rest.app import METHODS, create_app

SNAPSHOT = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"
DOCUMENT: dict[str, Any] = create_app(cast(ControlPlatform, None), Hub()).openapi()
OBJECTS = {name: schema for name, schema in DOCUMENT["components"]["schemas"].items() if schema.get("type") == "object"}
MODELS = [
    f"tutelage.{module}"
    for module in (
        *("core.wire", "core.access", "core.inputs", "core.spec", "interfaces.rest.operations"),
        *(
            "interfaces.rest.watching",
            "interfaces.rest.catalogue",
            "interfaces.rest.entrance",
            "interfaces.rest.changes",
        ),
    )
]


def model_of(name: str) -> type[BaseModel]:
    found = (getattr(importlib.import_module(module), name, None) for module in MODELS)
    model: type[BaseModel] = next(item for item in found if isinstance(item, type))
    return model


def test_the_snapshot_is_the_api() -> None:
    """Regenerate it with `make openapi` after a deliberate change."""
    assert DOCUMENT["openapi"].startswith("3.1")
    assert json.loads(SNAPSHOT.read_text()) == json.loads(json.dumps(DOCUMENT))


@pytest.mark.parametrize("name", OBJECTS)
def test_every_schema_has_an_example_that_it_describes(name: str) -> None:
    (example,) = OBJECTS[name]["examples"]
    shown = model_of(name).model_validate(example)
    assert shown.model_dump(mode="json", by_alias=True, exclude_unset=True) == example
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema_rs.Draft202012Validator(schema).validate(example)


def test_every_parameter_and_every_operation_says_what_it_is_for() -> None:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                assert operation["description"], (method, path)
                assert all(parameter["description"] for parameter in operation.get("parameters", [])), (method, path)
