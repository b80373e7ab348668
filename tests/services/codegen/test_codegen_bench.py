"""`codegen bench`: what is compared, what counts as a regression, what is stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tutelage.core.errors import DamagedFile
from tutelage.services.codegen.commands.bench import BenchArguments, bench, compare
from tutelage.services.codegen.phases.timing import measure


def entry(per_anchor: float, noise: float = 0.0) -> dict[str, Any]:
    return {
        "anchor_noise": 0.0,
        "figures": {"attention_ms": {"median": 1.0, "noise": noise, "per_anchor": per_anchor}},
    }


@pytest.mark.parametrize(
    ("before", "after", "noise", "regressed"),
    [
        (1.0, 1.09, 0.0, False),
        (1.0, 1.2, 0.0, True),
        (1.0, 1.2, 0.1, False),
        (1.0, 2.0, 0.1, True),
        (1.0, 0.5, 0.0, False),
    ],
)
def test_slower_than_a_tenth_and_the_noise_is_a_regression(before, after, noise, regressed):
    [found] = compare(entry(before, noise), entry(after, noise))
    assert found["regressed"] is regressed


def test_figures_are_stored_compared_and_a_regression_fails(tmp_path: Path):
    path = tmp_path / "bench.json"
    arguments = BenchArguments(baseline=str(path), preset="tiny", rounds=3)
    first = bench(arguments)
    assert (first["exit_code"], first["compared"]) == (0, [])
    stored = json.loads(path.read_text())
    assert set(first["figures"]) == {"attention_ms", "softmax_us", "tokenize_us", "generate_ms"}
    for figure in stored["baselines"][0]["figures"].values():
        figure.update(per_anchor=figure["per_anchor"] / 1000, noise=0.0)
    path.write_text(json.dumps(stored))
    second = bench(arguments)
    assert second["exit_code"] == 3
    assert set(second["regressed"]) == set(first["figures"])
    assert any("REGRESSED" in line for line in second["text"])
    assert len(json.loads(path.read_text())["baselines"]) == 1


@pytest.mark.parametrize("text", ["", "[]", '{"baselines": [{}]}', '{"baselines": [{"figures": {}}]}'])
def test_a_file_without_baselines_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "bench.json"
    path.write_text(text)
    with pytest.raises(DamagedFile):
        bench(BenchArguments(baseline=str(path), preset="tiny", rounds=3))


def test_a_timing_has_its_noise():
    timing = measure(lambda: sum(range(2000)), rounds=5)
    assert timing.median_s > 0
    assert 0 <= timing.noise < 10
