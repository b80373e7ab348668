"""The four phases in a row, in one process; and a base that does not hold."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tutelage.core.errors import DamagedFile, InvalidSpec, MissingDependency
from tutelage.core.layout import HomeFiles
from tutelage.run import FileRun
from tutelage.services.codegen import SERVICE
from tutelage.services.codegen.config import CodegenConfig
from tutelage.services.codegen.oracle.adapter import find_adapter
from tutelage.services.codegen.packaging.single_file import single_file
from tutelage.services.codegen.phases.manifest import path_of, sha256_of
from tutelage.services.codegen.train import train

TINY = {
    "preset": "tiny",
    "data": {"num_programs": 64, "num_held_out": 6},
    "model": {"d_model": 32, "num_encoder_layers": 1, "d_ffn": 64},
    "training": {"max_steps": 4, "eval_steps": 2, "sample_steps": 0, "eval_prompts": 4, "batch_size": 4},
}
PHASES = ("architect", "optimizer", "accelerator", "integrator")


def op(number: int) -> str:
    return f"op_{number:026d}"


def run_phase(home: Path, number: int, config: Mapping[str, Any], links: list[dict[str, Any]] | None = None) -> Any:
    files = HomeFiles(home).operation(op(number))
    files.root.mkdir(parents=True)
    files.commands.write_text("")
    files.spec.write_text(json.dumps({"service": "codegen", "config": dict(config), "seed": 7, "links": links or []}))
    run = FileRun(files=files, service=SERVICE, attempt=1, seed=7)
    run.begin()
    try:
        return train(CodegenConfig.model_validate(config), run)
    finally:
        run.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a trained model as its first operation, and its CPU exports as the second."""
    pytest.importorskip("ctranslate2")
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("home")
    run_phase(folder, 1, TINY)
    result = run_phase(folder, 2, {"phase": "optimizer", "base": op(1)})
    assert result["status"] == "verified", result["failures"]
    return folder


def artifacts(home: Path, number: int) -> Path:
    return HomeFiles(home).operation(op(number)).root / "artifacts"


@pytest.mark.slow  # trains, exports in four forms, and runs kernels on the software adapter
def test_the_phases_lead_to_a_package_that_runs_by_itself(home):
    try:
        find_adapter()
    except MissingDependency:
        pytest.skip("needs an adapter: mesa-vulkan-drivers")
    accelerated = run_phase(home, 3, {"phase": "accelerator"}, links=[{"kind": "input", "id": op(2), "as": "base"}])
    assert accelerated["status"] == "verified", accelerated["failures"]
    packed = run_phase(home, 4, {"phase": "integrator", "base": op(3)})
    assert packed["status"] == "verified", packed["failures"]
    baseline = json.loads((artifacts(home, 4) / "FINAL_BASELINE.json").read_text())
    assert set(baseline["figures"]) == set(PHASES[:3])
    for phase in PHASES[:3]:
        manifest = json.loads(path_of(artifacts(home, 4), phase).read_text())
        assert baseline["figures"][phase] == manifest["benchmarks"]
    package = artifacts(home, 4) / "package"
    for line in (package / "SHA256SUMS").read_text().splitlines():
        digest, _, name = line.partition("  ")
        assert sha256_of(package / name) == digest
    (package / "config.json").write_text("{}")
    call = [sys.executable, "-I", str(package / "generate.py"), "--check", "the sine of x"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "config.json" in done.stderr


@pytest.mark.slow  # stands on the trained and exported model
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.safetensors", b"other", r"model\.safetensors, an output of architect, was changed"),
        ("ctranslate2/int8/model.bin", None, r"model\.bin, an output of optimizer, is missing"),
        ("manifests/optimizer.json", b"{}", "manifest of optimizer is broken"),
        ("manifests/architect.json", None, "no manifest of the phase architect"),
    ],
)
def test_a_base_that_does_not_hold_is_refused_with_the_reason(home, tmp_path, name, content, said):
    copied = HomeFiles(tmp_path).operation(op(2)).root
    (copied / "artifacts").mkdir(parents=True)
    for path in (item for item in artifacts(home, 2).rglob("*") if item.is_file()):
        target = copied / "artifacts" / path.relative_to(artifacts(home, 2))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    broken = copied / "artifacts" / name
    broken.unlink()
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(DamagedFile, match=said):
        run_phase(tmp_path, 9, {"phase": "accelerator", "base": op(2)})


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"phase": "optimizer"}, "goes on from one operation, got 0"),
        ({"phase": "optimizer", "base": "../op_1"}, "no operation's id"),
        ({"phase": "optimizer", "base": op(5)}, "there is no operation"),
    ],
)
def test_a_phase_without_its_base_is_refused(tmp_path, config, said):
    with pytest.raises(InvalidSpec, match=said):
        run_phase(tmp_path, 1, config)


def test_the_packed_program_imports_nothing_of_ours():
    text = single_file()
    compile(text, "generate.py", "exec")
    assert "tutelage." not in text
    assert "from tutelage" not in text
