from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tutelage.core.errors import DamagedFile, InvalidSpec
from tutelage.services.codegen.phases.base import check_chain
from tutelage.services.codegen.phases.figures import direction_of, is_quality, read_figure, worsened
from tutelage.services.codegen.phases.manifest import check_manifest, path_of, read_manifest, sha256_of, write_manifest

FIGURES = {"exact_match": 0.73, "attention_ms": 12.4}


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """A folder with the manifests of two phases that hold."""
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "ct2").mkdir()
    (tmp_path / "ct2" / "model.bin").write_bytes(b"int8 weights")
    write_manifest(tmp_path, "architect", inputs=[], outputs=["model.safetensors"], benchmarks=FIGURES)
    write_manifest(
        tmp_path,
        "optimizer",
        inputs=[],
        outputs=["model.safetensors", "ct2/model.bin"],
        benchmarks={"exact_match": 0.73, "generate_ms": 60.0},
    )
    return tmp_path


def edit(path: Path, change: Callable[[dict], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_a_manifest_holds_as_it_was_written(artifacts):
    manifest = check_manifest(artifacts, "architect")
    assert (manifest.status, manifest.benchmarks) == ("verified", FIGURES)
    assert check_chain(artifacts, "optimizer").phase == "optimizer"


def _other_phase(document: dict) -> None:
    document["phase"] = "optimizer"


TAMPERED = {
    "figure raised": (lambda d: d["benchmarks"].update(exact_match=0.99), "exact_match .* is 0.99 in the manifest"),
    "figure lowered": (lambda d: d["benchmarks"].update(attention_ms=1.0), "attention_ms .* is 1 in the manifest"),
    "figure left out": (lambda d: d["benchmarks"].pop("exact_match"), "was measured, and is not in the manifest"),
    "status failed": (lambda d: d.update(status="failed", reasons=["parity 0.1"]), "not verified: parity 0.1"),
    "status unknown": (lambda d: d.update(status="fine"), "broken at status"),
    "hash changed": (lambda d: d["outputs"][-1].update(sha256="0" * 64), "was changed: its SHA-256"),
    "no hash at all": (lambda d: d["outputs"][0].update(sha256="abc"), "broken at outputs.0.sha256"),
    "outputs emptied": (lambda d: d.update(outputs=[]), "broken at outputs"),
    "measurements hidden": (lambda d: d.update(outputs=[d["outputs"][-1]]), "lists no measurements"),
    "path outside": (lambda d: d["outputs"][0].update(path="../spec.json"), "neither absolute nor with"),
    "another phase's": (_other_phase, "says that it is of optimizer"),
    "key unknown": (lambda d: d.update(note="trust me"), "broken at note"),
    "figure no number": (lambda d: d["benchmarks"].update(exact_match="high"), "no number with a unit"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_manifest_that_was_tampered_with_is_refused(artifacts, what):
    change, said = TAMPERED[what]
    edit(path_of(artifacts, "architect"), change)
    with pytest.raises(DamagedFile, match=said):
        check_manifest(artifacts, "architect")


def test_a_changed_file_is_refused(artifacts):
    (artifacts / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(DamagedFile, match=r"model\.safetensors, an output of architect, was changed"):
        check_manifest(artifacts, "architect")


def test_a_missing_file_is_refused(artifacts):
    (artifacts / "ct2" / "model.bin").unlink()
    with pytest.raises(DamagedFile, match=r"ct2/model\.bin, an output of optimizer, is missing"):
        check_chain(artifacts, "optimizer")


def test_a_missing_manifest_is_refused(artifacts):
    path_of(artifacts, "architect").unlink()
    with pytest.raises(DamagedFile, match="no manifest of the phase architect"):
        check_chain(artifacts, "optimizer")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"phase": "architect"}'])
def test_what_is_no_manifest_is_refused(artifacts, text):
    path_of(artifacts, "architect").write_text(text)
    with pytest.raises(DamagedFile):
        read_manifest(artifacts, "architect")


def test_a_quality_that_a_later_phase_lowers_is_refused(artifacts):
    figures = {"exact_match": 0.5, "generate_ms": 9.0}
    write_manifest(artifacts, "optimizer", inputs=[], outputs=["ct2/model.bin"], benchmarks=figures)
    with pytest.raises(DamagedFile, match=r"exact_match fell from 0\.73 in architect to 0\.5 in optimizer"):
        check_chain(artifacts, "optimizer")


def test_a_failed_gate_is_written_down(artifacts):
    written = write_manifest(
        artifacts, "accelerator", inputs=[], outputs=["ct2/model.bin"], benchmarks={}, failures=["parity 0.2 > 1e-4"]
    )
    assert (written.status, written.reasons) == ("failed", ["parity 0.2 > 1e-4"])
    with pytest.raises(DamagedFile, match=r"parity 0\.2"):
        check_chain(artifacts, "accelerator")


def test_figures_with_units_are_read(artifacts):
    measured = artifacts / "manifests" / "architect.measurements.json"
    measured.write_text(json.dumps({"attention_ms": 12.4, "softmax_us": 3.9}))
    edit(
        path_of(artifacts, "architect"),
        lambda d: d.update(
            benchmarks={"attention": "12.4ms", "softmax": "3.9 µs"},
            outputs=[{"path": "manifests/architect.measurements.json", "sha256": sha256_of(measured)}],
        ),
    )
    assert check_manifest(artifacts, "architect").benchmarks == {"attention_ms": 12.4, "softmax_us": 3.9}


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("attention", "12.4ms", ("attention_ms", 12.4)),
        ("attention_ms", "12.4 ms", ("attention_ms", 12.4)),
        ("attention_ms", 12, ("attention_ms", 12.0)),
        ("exact_match", "0.73", ("exact_match", 0.73)),
        ("speedup", "1e1", ("speedup", 10.0)),
        ("load", "35%", ("load_pct", 35.0)),
    ],
)
def test_a_figure_is_a_number_or_a_text_with_a_unit(name, value, read):
    assert read_figure(name, value) == read


@pytest.mark.parametrize("value", ["fast", "12.4 furlongs", "", True, None, "nan", float("inf"), [1]])
def test_what_is_no_figure_is_refused(value):
    with pytest.raises(InvalidSpec):
        read_figure("attention", value)


def test_a_unit_that_is_not_the_names_is_refused():
    with pytest.raises(InvalidSpec, match="given in us"):
        read_figure("attention_ms", "12400us")


def test_figures_know_which_way_is_better():
    assert [direction_of(name) for name in ("generate_ms", "exact_match", "tokens_per_s", "parameters")] == [
        "lower",
        "higher",
        "higher",
        None,
    ]
    assert is_quality("compile_at_1")
    assert not is_quality("generate_ms")
    assert worsened("generate_ms", 10.0, 12.0) == pytest.approx(0.2)
    assert worsened("exact_match", 0.5, 0.6) == 0.0
