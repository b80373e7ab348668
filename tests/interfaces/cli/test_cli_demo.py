"""The demo, and the use of the model it leaves, as a newcomer meets them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from cli_support import Cli

pytestmark = pytest.mark.slow  # a search of 20 trials on real data, about 20 s


def test_the_demo_shows_data_baseline_search_verdict_result_and_files(cli: Cli, tmp_path: Path) -> None:
    ran = cli("demo")
    assert ran.code == 0, ran.err
    for part in (
        "569 rows, 30 columns to learn from: 30 numeric",
        "First metric after ",
        "trial 19 ",
        "✓ finished",
        "roc_auc",
        "model.joblib",
    ):
        assert part in ran.out
    commands = [line.strip() for line in ran.out.splitlines() if line.startswith("  tutelage ")]
    assert len(commands) == 3

    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    _, predict, key, data, *_ = commands[0].split()
    for target in (first, second):
        assert cli(predict, key, data, "-o", str(target)).code == 0
    assert first.read_bytes() == second.read_bytes()
    with first.open(newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == 569
