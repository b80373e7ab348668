"""`tutelage codegen bench`: speed figures against those of earlier commits; fails on a regression beyond the noise."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from pydantic import Field

from tutelage.core.atomic import write_json
from tutelage.core.errors import DamagedFile
from tutelage.core.spec import Document
from tutelage.services.codegen.config import CodegenConfig
from tutelage.services.codegen.engines.torch_engine import TorchEngine
from tutelage.services.codegen.language.tokenizer import CodeTokenizer
from tutelage.services.codegen.model.transformer import Transformer
from tutelage.services.codegen.phases.speed import kernel_timings, writing_timing
from tutelage.services.codegen.phases.timing import Timing, anchor, measure

REGRESSION = 3
"""Exit code where a figure regressed: a gate that was not met."""
LEAST_TOLERANCE = 0.10
"""A figure may always be a tenth slower: code paths differ by that much with the layout of memory alone."""
SIGMAS = 4.0
KEPT = 200
CODE = "fn glow(x: f32, tint: vec3<f32>) -> vec3<f32> { let w = smoothstep(0.2, 0.8, x); return (tint * w); }\n"


class BenchArguments(Document):
    """What is compared with what."""

    baseline: str = Field("codegen_bench.json", description="the file of stored baselines, made where there is none")
    preset: str = Field("small", description="the model's shape: a preset; its weights are random")
    rounds: int = Field(9, ge=3, le=1000, description="measurements of each figure")
    keep: bool = Field(True, description="store this commit's figures where nothing regressed")


def bench(arguments: BenchArguments) -> dict[str, Any]:
    """Measure, compare with the newest stored figures of this machine and preset, and store.

    Figures are process-CPU medians divided by an anchor that is timed beside them. Raises DamagedFile for a file that
    holds no baselines.
    """
    path = Path(arguments.baseline)
    stored = _read(path)
    entry = measured(arguments.preset, rounds=arguments.rounds)
    earlier = [each for each in stored if all(each[key] == entry[key] for key in ("machine", "preset"))]
    compared = list(compare(earlier[-1], entry)) if earlier else []
    regressed = [each["figure"] for each in compared if each["regressed"]]
    if arguments.keep and not regressed:
        write_json(path, {"baselines": [*stored, entry][-KEPT:]})
    return {
        **entry,
        "against": earlier[-1]["commit"] if earlier else None,
        "compared": compared,
        "regressed": regressed,
        "text": list(_lines(entry, compared, earlier)),
        "exit_code": REGRESSION if regressed else 0,
    }


def measured(preset: str, *, rounds: int) -> dict[str, Any]:
    """Return this commit's entry: each figure's median, noise, and ratio to the anchor."""
    config = CodegenConfig.model_validate({"preset": preset}).model
    torch.manual_seed(0)
    model = Transformer(config).eval()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        beside = anchor(rounds=rounds)
        timings = {
            **kernel_timings(model, rounds=rounds),
            "tokenize_us": _tokenize(rounds),
            "generate_ms": writing_timing(
                TorchEngine(model), target_vocab_size=config.target_vocab_size, rounds=rounds
            ),
        }
    finally:
        torch.set_num_threads(threads)
    return {
        "commit": _commit(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()} {platform.system()} {_processor()}",
        "preset": preset,
        "anchor_us": round(beside.median_s * 1e6, 3),
        "anchor_noise": round(beside.noise, 4),
        "figures": {name: _figure(name, timing, beside) for name, timing in timings.items()},
    }


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield how each figure changed, relative to the anchor; it regressed where it is slower by more than the noise."""
    for name, new in after["figures"].items():
        old = before["figures"].get(name)
        if old is None:
            continue
        noise = (
            sum(each**2 for each in (old["noise"], new["noise"], before["anchor_noise"], after["anchor_noise"])) ** 0.5
        )
        tolerance = max(LEAST_TOLERANCE, SIGMAS * noise)
        change = new["per_anchor"] / old["per_anchor"] - 1
        yield {
            "figure": name,
            "change": round(change, 4),
            "tolerance": round(tolerance, 4),
            "regressed": change > tolerance,
        }


def _tokenize(rounds: int) -> Timing:
    tokenizer, text = CodeTokenizer.standard(), (CODE * 5)[:500]
    return measure(lambda: tokenizer.encode(text), rounds=rounds)


def _figure(name: str, timing: Timing, beside: Timing) -> dict[str, float]:
    scale = 1e3 if name.endswith("_ms") else 1e6
    return {
        "median": round(timing.median_s * scale, 4),
        "noise": round(timing.noise, 4),
        "per_anchor": timing.median_s / beside.median_s,
    }


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))["baselines"]
        for entry in stored:
            compared = list(compare(entry, entry))
            if not compared or not {"commit", "machine", "preset"} <= entry.keys():
                raise KeyError("figures")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise DamagedFile(f"{path} holds no baselines of codegen: {error!r}", hint="name another file") from error
    return list(stored)


def _lines(entry: Mapping[str, Any], compared: list[dict[str, Any]], earlier: list[dict[str, Any]]) -> Iterator[str]:
    yield f"codegen bench, preset {entry['preset']}, commit {entry['commit'] or 'unknown'}"
    yield f"anchor {entry['anchor_us']} us (noise {entry['anchor_noise']:.1%}); medians of process-CPU time"
    changes = {each["figure"]: each for each in compared}
    for name, figure in entry["figures"].items():
        line = f"  {name:<14} {figure['median']:>12,.3f}  noise {figure['noise']:>6.1%}"
        if name in changes:
            each = changes[name]
            verdict = "REGRESSED" if each["regressed"] else "ok"
            line += f"  {each['change']:+7.1%} against {earlier[-1]['commit'] or 'unknown'}, "
            line += f"tolerance {each['tolerance']:.1%}: {verdict}"
        yield line
    if not earlier:
        yield "no earlier figures of this machine and preset: nothing to compare with"


def _commit() -> str | None:
    try:
        call = ["git", "rev-parse", "--short=12", "HEAD"]
        done = subprocess.run(call, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
