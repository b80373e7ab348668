"""The last phase: one folder with everything a user of the model needs, checked by running it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tutelage.core.ports import Run
from tutelage.services.codegen.artifacts import MODEL_FILES, STATS, WEIGHTS, load_config
from tutelage.services.codegen.config import CodegenConfig, Phase
from tutelage.services.codegen.packaging.card import model_card
from tutelage.services.codegen.packaging.single_file import single_file
from tutelage.services.codegen.phases import baseline
from tutelage.services.codegen.phases.base import open_base
from tutelage.services.codegen.phases.carrying import carry, files_in
from tutelage.services.codegen.phases.manifest import hashes, read_manifest, sha256_of, write_manifest
from tutelage.services.codegen.phases.optimizer import CTRANSLATE2, ONNX

PACKAGE, PROGRAM, CARD, SUMS = "package", "generate.py", "MODEL_CARD.md", "SHA256SUMS"
PROMPT = "write a function glow of float x that returns the sine of x"
TIMEOUT_S = 120.0
MEASURED: tuple[Phase, ...] = ("architect", "optimizer", "accelerator")


def integrator(config: CodegenConfig, run: Run) -> dict[str, Any]:
    """Pack a model; verified where the packed program, run by itself, checks its files and writes code."""
    base = open_base(config, run.dir)
    artifacts = run.artifact("manifests").parent
    carried = carry(base, artifacts)
    run.phase("packing")
    figures = {phase: read_manifest(artifacts, phase).benchmarks for phase in MEASURED}
    baseline.write_baseline(artifacts, figures)
    package = pack(artifacts, figures)
    run.phase("checking")
    written, failures = try_out(package)
    outputs = {*carried, *files_in(artifacts, PACKAGE), baseline.JSON, baseline.TEXT}
    quality = {key: value for key, value in figures["accelerator"].items() if key == "exact_match"}
    size = sum(path.stat().st_size for path in package.rglob("*") if path.is_file())
    manifest = write_manifest(
        artifacts,
        "integrator",
        inputs=base.inputs(),
        outputs=sorted(outputs),
        benchmarks={**quality, "package_mib": round(size / 2**20, 3)},
        failures=failures,
    )
    return {
        "success": not failures,
        "base": base.operation,
        "status": manifest.status,
        "failures": failures,
        "package": f"artifacts/{PACKAGE}",
        "benchmarks": manifest.benchmarks,
        "sample": {"prompt": PROMPT, "text": written},
    }


def pack(artifacts: Path, figures: dict[Phase, dict[str, float]]) -> Path:
    """Write the package's folder, its list of hashes last, and return it."""
    package = artifacts / PACKAGE
    package.mkdir(parents=True, exist_ok=True)
    for name in (*MODEL_FILES, STATS, baseline.JSON, baseline.TEXT):
        shutil.copyfile(artifacts / name, package / name)
    for folder in (CTRANSLATE2, ONNX):
        shutil.copytree(artifacts / folder, package / folder, dirs_exist_ok=True)
    (package / PROGRAM).write_text(single_file(), encoding="utf-8")
    card = model_card(
        name="codegen model",
        config=load_config(artifacts),
        stats=json.loads((artifacts / STATS).read_text()),
        sha256=sha256_of(artifacts / WEIGHTS),
        figures={str(phase): found for phase, found in figures.items()},
    )
    (package / CARD).write_text(card, encoding="utf-8")
    names = [name for name in files_in(package, ".") if name != SUMS]
    sums = [f"{file.sha256}  {file.path}" for file in hashes(package, names)]
    (package / SUMS).write_text("\n".join(sums) + "\n", encoding="utf-8")
    return package


def try_out(package: Path) -> tuple[str, list[str]]:
    """Run the packed program in isolation, as a user would; return what it wrote, and why it failed."""
    call = [sys.executable, "-I", str(package / PROGRAM), "--check", PROMPT]
    try:
        done = subprocess.run(call, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=package, check=False)
    except subprocess.TimeoutExpired:
        return "", [f"{PROGRAM} did not end within {TIMEOUT_S:g} s"]
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return "", [f"{PROGRAM} failed: {last}"[:500]]
    return done.stdout.strip(), [] if done.stdout.strip() else [f"{PROGRAM} wrote nothing"]
