"""What a spec may say, and what is answered to everything else."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import FAKE

from tutelage.control.queue import Slots
from tutelage.control.submission import accept, check_installed
from tutelage.core.errors import InvalidSpec, MissingDependency, ServiceBroken, TutelageError
from tutelage.services.registry import Registry
from tutelage.testing.fake import SERVICE

REGISTRY = Registry(FAKE)
MACHINE = Slots(cpus=2, gpus=0, memory_gib=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("document", "code", "said"),
    [
        ({}, "invalid_spec", "names no service"),
        ({"service": "fak"}, "unknown_name", "Did you mean 'fake'?"),
        ({"service": "fake", "confg": {}}, "invalid_spec", "did you mean 'config'"),
        ({"service": "fake", "config": {"stpes": 1}}, "invalid_spec", "did you mean 'steps'"),
        ({"service": "fake", "config": {"steps": 0}}, "invalid_spec", "greater than or equal to 1, got 0"),
        ({"service": "fake", "config": {"steps": "many"}}, "invalid_spec", "got 'many'"),
        ({"service": "fake", "config": []}, "invalid_spec", "config"),
        ({"service": "fake", "seed": -1}, "invalid_spec", "seed"),
        ({"service": "fake", "executor": "host:gpu"}, "unknown_name", "host 'gpu'"),
        ({"service": "fake", "policy": {"on": {"H00": "stop"}}}, "unknown_name", "Did you mean"),
        ({"service": "fake", "policy": {"on": {"H004": "halt"}}}, "invalid_spec", "policy.on.H004.do"),
        ({"service": "fake", "policy": {"on": {"H004": {"do": "tune"}}}}, "invalid_spec", "tune needs them"),
        ({"service": "fake", "policy": {"on": {"H004": {"do": "tune", "args": {"lr": -1}}}}}, "invalid_spec", "from 0"),
        ({"service": "fake", "policy": {"max_restart": 1}}, "invalid_spec", "did you mean 'max_restarts'"),
        ({"service": "fake", "resources": {"cpus": 3}}, "invalid_spec", "this machine hands out 2"),
        ({"service": "fake", "resources": {"gpus": 1}}, "invalid_spec", "this machine hands out 0"),
        ({"service": "fake", "links": [{"kind": "input", "id": "op_x"}]}, "not_yet", "input"),
        ({"service": "fake", "links": [{"kind": "branch", "id": "op_x"}]}, "invalid_spec", "branch"),
        ({"service": "fake", "config": {"out_path": "x.json"}}, "invalid_spec", "relative"),
        ({"service": "fake", "name": "x" * 2_000_000}, "too_large", "bytes"),
    ],
)
def test_a_bad_spec_is_refused_with_what_to_do(document: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(TutelageError) as refused:
        accept(document, registry=REGISTRY, machine=MACHINE)
    assert refused.value.code == code
    assert said in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    "dotted", ["no_such_package:SERVICE", "tutelage.core.clock:SERVICE", "tutelage.core.clock:now_s"]
)
def test_a_broken_service_is_named_and_harms_no_other(dotted: str) -> None:
    registry = Registry({**FAKE, "broken": dotted})
    with pytest.raises(ServiceBroken, match=r"broken|not a Service"):
        accept({"service": "broken"}, registry=registry, machine=MACHINE)
    assert accept({"service": "fake"}, registry=registry, machine=MACHINE).service.name == "fake"
    with pytest.raises(InvalidSpec, match="names no service"):
        accept({}, registry=registry, machine=MACHINE)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4), JSON)
def test_no_document_is_answered_with_anything_but_our_errors(document: dict[str, Any], config: Any) -> None:
    for given_document in (document, {"service": "fake", "config": config}, {"service": "fake", **document}):
        with contextlib.suppress(TutelageError):
            accept(given_document, registry=REGISTRY, machine=MACHINE)


def test_a_service_whose_library_is_absent_is_refused_with_what_installs_it() -> None:
    check_installed(replace(SERVICE, needs=("json",)))
    lacking = replace(SERVICE, needs=("json", "no_such_library"), extra="torch")
    with pytest.raises(MissingDependency, match="no_such_library") as refused:
        check_installed(lacking)
    assert refused.value.hint == "pip install 'tutelage[torch]'"
