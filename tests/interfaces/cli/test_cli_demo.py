"""The demo, and the use of the model it leaves, as a newcomer meets them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from cli_support import Cli

pytestmark = pytest.mark.slow  # two trainings on real data, about 45 s


def test_the_demo_shows_a_training_that_goes_well_and_one_that_a_policy_stops(cli: Cli, tmp_path: Path) -> None:
    ran = cli("demo")
    assert ran.code == 0, ran.err
    first, _, second = ran.out.partition("4 The same table, mislabelled")
    _the_first_act_ends_with_commands_that_work(cli, first, tmp_path)
    told = " ".join(second.split())
    for part in (
        "142 labels changed",
        "overfitting: val_logloss is ",
        "stop asked by policy: policy overfitting -> stop, held for ",
        "stop took effect at step ",
        "; the model is kept with the best ",
        "demo is ahead of demo, 25 % wrong labels by ",
        "(within the noise of one run each",
        "policy (program) stop: ",
        "Evidence at that moment: val_logloss worse than its best ",
        "2 entries, chain intact",
        "tutelage serve",
        "/#/op/op_",
        "claude mcp add tutelage -- tutelage mcp",
    ):
        assert part in told


def _the_first_act_ends_with_commands_that_work(cli: Cli, printed: str, tmp_path: Path) -> None:
    for part in (
        "569 rows, 30 columns to learn from: 30 numeric",
        "First metric after ",
        "trial 19 ",
        "✓ finished",
        "roc_auc",
        "model.joblib",
    ):
        assert part in printed
    commands = [line.strip() for line in printed.splitlines() if line.startswith("  tutelage ")]
    assert len(commands) == 3

    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    _, predict, key, data, *_ = commands[0].split()
    for target in (first, second):
        assert cli(predict, key, data, "-o", str(target)).code == 0
    assert first.read_bytes() == second.read_bytes()
    with first.open(newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == 569
